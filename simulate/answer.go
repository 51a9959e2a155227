package simulate

import (
	"fmt"
	"strings"
)

// Answer is what the device prints for a command; nil when it does not know the command.
func (d *Device) Answer(command string) []byte {
	for _, a := range answers {
		if strings.HasPrefix(command, a.prefix) {
			return []byte(a.text(d))
		}
	}
	return nil
}

// answers are tried in order: longer prefixes first.
var answers = []struct {
	prefix string
	text   func(*Device) string
}{
	{"show inventory", func(d *Device) string {
		return fmt.Sprintf("NAME: \"Chassis\", DESCR: \"%s chassis\"\nPID: %s , VID: V01, SN: %s\n\nNAME: \"module 3\", DESCR: \"24 port line card\"\nPID: QX-LC24 , VID: V02, SN: %s\n", d.Model, d.Model, d.Serial, d.module())
	}},
	{"show version", func(d *Device) string {
		return fmt.Sprintf("QXOS Software, Version %s\n%s uptime is 3 weeks, 4 days\n%s with 8388608K bytes of memory.\nProcessor board ID %s\n", d.Version, d.Hostname, d.Model, d.Serial)
	}},
	{"show environment", func(*Device) string {
		return "Slot        Sensor          Current State   Reading\nP1          fan             Normal          4200 RPM\nP2          fan             Fail            0 RPM\nR0          Temp: inlet     Normal          24 Celsius\n"
	}},
	{"show logging", func(d *Device) string {
		return "Syslog logging: enabled (0 messages dropped)\nLog Buffer (4096 bytes):\n*Mar 14 09:26:53.114: %PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2\n"
	}},
	{"show failover", func(*Device) string {
		return "Failover On\nFailover unit Primary\nThis host: Primary - Active\nOther host: Secondary - Failed\n"
	}},
	{"show module", func(*Device) string {
		return "Mod Ports Module-Type                 Model        Status\n--- ----- --------------------------- ------------ ----------\n3   24    24 port line card           QX-LC24      ok\n"
	}},
	{"show running-config", func(d *Device) string {
		return fmt.Sprintf("hostname %s\nenable secret 9 $9$notARealSecret\nsnmp-server community n0tReal RO\ninterface GigabitEthernet0/0/1\n ip address 192.0.2.1 255.255.255.0\n", d.Hostname)
	}},
	{"show platform", func(d *Device) string { return "Chassis type: " + d.Model + "\n" }},
	{"show ", func(d *Device) string { return fmt.Sprintf("%s: nothing to report\n", d.Hostname) }},
	{"admin show ", func(d *Device) string { return fmt.Sprintf("%s: nothing to report\n", d.Hostname) }},
}
