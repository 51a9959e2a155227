package personality

import "callhome"

// linux is a Linux host: the agent's own, or one that logs to it. Commands are argv lines that only read; each runs only
// where its program is installed. It claims no dialect, as hosts log like everything else: unknown senders are generic.
var linux = Personality{
	Name:  Linux,
	Title: "Linux",
	Groups: []Group{
		{
			Keyword: gConf, Label: "configuration", Description: "configuration info",
			Commands: []string{"hostnamectl status", "ip -br address", "ip route show table all",
				"systemctl list-unit-files --state=enabled --no-pager"},
			Full: []string{"hostnamectl status", "ip address", "ip route show table all", "ip rule show",
				"nft list ruleset", "sysctl -a", "cat /etc/fstab", "systemctl list-unit-files --no-pager"},
		},
		{
			Keyword: gCrsh, Label: "crash", Description: "core dump and panic info",
			Commands: []string{"uname -a", "coredumpctl list --no-pager", "coredumpctl info --no-pager",
				"journalctl -b -1 -n 200 --no-pager", "dmesg --ctime"},
		},
		{
			Keyword: gDiag, Label: "diagnostic", Description: "disks, memory, services",
			Commands: []string{"uptime", "free -m", "df -h", "lsblk", "cat /proc/mdstat", "smartctl --scan",
				"systemctl --failed --no-pager", "dmesg --ctime", "journalctl -p warning -n 200 --no-pager"},
		},
		{
			Keyword: gEnv, Label: "environment", Description: "fans, power, temperature",
			Commands: []string{"sensors", "ipmitool sdr elist", "ipmitool sel elist last 50", "dmesg --ctime"},
		},
		{
			Keyword: gInv, Label: "inventory", Description: "hardware and software",
			Commands: []string{"uname -a", "cat /etc/os-release", "lscpu", "lsblk -o NAME,MODEL,SERIAL,SIZE,TYPE", "free -m"},
			Full: []string{"uname -a", "cat /etc/os-release", "lscpu", "lsblk -o NAME,MODEL,SERIAL,SIZE,TYPE", "free -m",
				"dmidecode", "lspci", "lsusb", "ip -s link", "dpkg-query -W", "rpm -qa"},
		},
		{Keyword: gSnap, Label: "snapshot", Description: "snapshot info"},
		{
			Keyword: gSys, Label: "syslog", Description: "log messages",
			Commands: []string{"journalctl -n 200 --no-pager", "ip -s link"},
		},
		{
			Keyword: gThr, Label: "threat", Description: "sign-in and intrusion info",
			Commands: []string{"last -n 50", "lastb -n 50", "ss -tulpn", "journalctl -u ssh -n 100 --no-pager"},
		},
		{
			Keyword: gTele, Label: "telemetry", Description: "load and usage",
			Commands: []string{"uptime", "free -m", "df -h", "vmstat -s", "ip -s link"},
		},
		{
			Keyword: gTest, Label: "test", Description: "test info", Unlisted: true,
			Commands: []string{"uname -a", "uptime"},
		},
	},
	DefaultThreshold: callhome.LevelDebugging,
	Throttle:         Throttle{Repeat: day},
	Limits:           limitsOwn,
	Time:             timeColon,
	AML: AML{MessagePrefix: "M", GroupPrefix: "G", Builder: "Linux", Version: "2.0", Brand: "Linux",
		Series: "Linux Hosts", Additional: true, ContactName: true},
	LongText:        "A",
	Subject:         Subject{From: "From"},
	RequiredContact: []string{"email"},
	Rows:            rowsLinux,
	profiles:        profilesOwn,
}
