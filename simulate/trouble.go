package simulate

import (
	"math/rand/v2"
	"time"
)

// saying is one line of a trouble, some time after it began.
type saying struct {
	after    time.Duration
	severity int
	mnemonic string
	text     string
}

// Trouble is something that happens to a device, told in a few lines; the last one may tell of its end.
type Trouble struct {
	Name  string
	lines []saying
}

// chatter is what devices log all day and nobody wants to be told.
var chatter = map[Platform][]saying{
	IOS:   {{0, 6, "SEC_LOGIN-6-LOGIN_SUCCESS", "Login Success [user: ops] [Source: 192.0.2.10] at vty0"}, {0, 5, "SYS-5-CONFIG_I", "Configured from console by ops on vty0 (192.0.2.10)"}},
	IOSXR: {{0, 6, "MGBL-IFSTATS-6-CLR_COUNTERS", "Clear counters on all interfaces by ops"}},
	NXOS:  {{0, 6, "AUTHPRIV-6-SYSTEM_MSG", "pam_unix(dcos_sshd:session): session opened for user ops - dcos_sshd[7711]"}},
	ASA: {
		{0, 6, "ASA-6-302013", "Built outbound TCP connection 77 for outside:198.51.100.7/443 (198.51.100.7/443) to inside:192.0.2.9/51000 (192.0.2.9/51000)"},
		{0, 6, "ASA-6-302014", "Teardown TCP connection 77 for outside:198.51.100.7/443 to inside:192.0.2.9/51000 duration 0:00:30 bytes 512 TCP FINs"},
	},
	UCM:   {{0, 6, "UC_CALLMANAGER-6-EndPointRegistered", "%[DeviceName=SEP0A0B0C0D0E0F][IPAddress=192.0.2.31][AppID=Cisco CallManager][ClusterID=Lab][NodeID=cucm-1]: Endpoint registered"}},
	Linux: {{0, 6, "systemd[1]", "Started session-4.scope - Session 4 of User ops."}, {0, 6, "CRON[4711]", "(root) CMD (run-parts /etc/cron.hourly)"}},
	EOS:   {{0, 6, "SYS-6-CONFIG_SESSION_EXITED", "User ops exited configuration session on vty3 (192.0.2.10)"}},
	Junos: {{0, 6, "mgd[3046]", "UI_CMDLINE_READ_LINE: User 'ops', command 'show route summary '"}},
}

// troubles by platform.
var troubles = map[Platform][]Trouble{
	IOS: {
		{"fan tray fails and comes back", []saying{
			{0, 1, "PLATFORM_ENV-1-FAN", "Faulty fan detected, tray P2"},
			{4 * time.Second, 6, "PLATFORM_ENV-6-FAN_OK", "Fan tray P2 is operating normally"},
		}},
		{"uplink goes down and up", []saying{
			{0, 3, "LINK-3-UPDOWN", "Interface GigabitEthernet0/0/1, changed state to down"},
			{200 * time.Millisecond, 5, "LINEPROTO-5-UPDOWN", "Line protocol on Interface GigabitEthernet0/0/1, changed state to down"},
			{5 * time.Second, 3, "LINK-3-UPDOWN", "Interface GigabitEthernet0/0/1, changed state to up"},
		}},
		{"memory runs out", []saying{{0, 2, "SYS-2-MALLOCFAIL", "Memory allocation of 65536 bytes failed from 0x60A1B2C4, alignment 8"}}},
	},
	IOSXR: {
		{"fan tray is pulled", []saying{
			{0, 3, "PKT_INFRA-FM-3-FAULT_MAJOR", "ALARM_MAJOR :Fan tray removed :DECLARE :0/FT1: "},
			{5 * time.Second, 3, "PKT_INFRA-FM-3-FAULT_MAJOR", "ALARM_MAJOR :Fan tray removed :CLEAR :0/FT1: "},
		}},
		{"BGP neighbour is lost", []saying{{0, 5, "ROUTING-BGP-5-ADJCHANGE", "neighbor 192.0.2.77 Down - BGP Notification sent, hold time expired (VRF: default) (AS: 64500)"}}},
	},
	NXOS: {
		{"module fails", []saying{{0, 2, "MODULE-2-MOD_DIAG_FAIL", "Module 3 (Serial number: QXL2551Z0AA) reported failure due to hardware fault (error code 0x40000)"}}},
		{"power supply fails", []saying{
			{0, 2, "PLATFORM-2-PS_FAIL", "Power supply 2 failed or shut down (Serial number QXP2551Z0BB)"},
			{6 * time.Second, 5, "PLATFORM-5-PS_OK", "Power supply 2 ok (Serial number QXP2551Z0BB)"},
		}},
	},
	ASA: {
		{"failover", []saying{
			{0, 1, "ASA-1-105005", "(Primary) Lost Failover communications with mate on interface inside"},
			{4 * time.Second, 1, "ASA-1-105008", "(Primary) Testing Interface inside"},
		}},
		{"attack", []saying{{0, 4, "ASA-4-733100", "[Scanning] drop rate-1 exceeded. Current burst rate is 12 per second, max configured rate is 10; Current average rate is 16 per second, max configured rate is 5; Cumulative total count is 9999"}}},
		{"power supply", []saying{{0, 1, "ASA-1-735005", "Power Supply Unit Redundancy Lost"}}},
	},
	UCM: {
		{"service dies", []saying{{0, 2, "UC_RTMT-2-RTMT_ALERT", "%[AlertName=CriticalServiceDown][AlertDetail= Service operational status is DOWN. Cisco CallManager. The alert is generated on cucm-1][AppID=Cisco AMC Service][ClusterID=][NodeID=cucm-1]: RTMT Alert"}}},
		{"core dump", []saying{{0, 2, "UC_RTMT-2-RTMT_ALERT", "%[AlertName=CoreDumpFileFound][AlertDetail= TotalCoresFound : 1 CoreDetails : core.11340.11.ccm][AppID=Cisco AMC Service][ClusterID=][NodeID=cucm-1]: RTMT Alert"}}},
	},
	Linux: {
		{"disk fails", []saying{{0, 3, "kernel", "[812.345678] blk_update_request: I/O error, dev sda, sector 1311768 op 0x0:(READ) flags 0x0"}}},
		{"out of memory", []saying{{0, 3, "kernel", "[912.000001] Out of memory: Killed process 4711 (java) total-vm:8123456kB, anon-rss:4123456kB, file-rss:0kB"}}},
	},
	EOS: {
		{"link flaps", []saying{
			{0, 4, "LINEPROTO-5-UPDOWN", "Line protocol on Interface Ethernet7, changed state to down"},
			{2 * time.Second, 4, "LINEPROTO-5-UPDOWN", "Line protocol on Interface Ethernet7, changed state to up"},
		}},
	},
	Junos: {
		{"power entry module", []saying{
			{0, 4, "alarmd[4200]", "%DAEMON-4-ALARM_SET: Alarm set: PEM color=RED, class=CHASSIS, reason=PEM 1 Not OK"},
			{5 * time.Second, 4, "alarmd[4200]", "%DAEMON-4-ALARM_CLEARED: Alarm cleared: PEM color=RED, class=CHASSIS, reason=PEM 1 Not OK"},
		}},
	},
}

// Chatter is an ordinary line of the device.
func (d *Device) Chatter(rng *rand.Rand, now time.Time) []byte {
	lines := chatter[d.Platform]
	s := lines[rng.IntN(len(lines))]
	return d.Line(now, s.severity, s.mnemonic, s.text)
}

// Pick chooses one of the troubles of the device's platform.
func (d *Device) Pick(rng *rand.Rand) Trouble {
	t := troubles[d.Platform]
	return t[rng.IntN(len(t))]
}
