package aml

import (
	"strconv"
	"strings"
	"time"

	"callhome"
)

// fullMessage sets every field that AML carries, as the ios variant writes it.
func fullMessage() *callhome.Message {
	level := callhome.LevelMajor
	at := callhome.At(time.Date(2026, 6, 13, 7, 26, 9, 0, time.FixedZone("", 7200)))
	return &callhome.Message{
		Format: callhome.FormatXML, Dialect: "ios",
		MessageID: "M41:TSTA2711X9Q:6A2CE9F4", GroupID: "G42:TSTA2711X9Q:6A2CE9F4",
		EventTime: at, CreationTime: callhome.At(time.Date(2026, 6, 13, 5, 26, 12, 0, time.UTC)),
		Name: "environment", Type: "environment", Subtype: "minor", Group: callhome.GroupEnvironment, Severity: &level,
		SourceID: "Lab Series Routers", Brand: "Lab Networks", Builder: "CSR1000v", BuilderVersion: "2.0",
		DeviceID: "LABRTR@C@TSTA2711X9Q", CustomerID: "LAB-7", ContractID: "SUP-991", SiteID: "Hall 3, rack <12>", CCOID: "adang",
		Description: `*Jun 13 05:26:09.871: %PLATFORM_ENV-1-FAN: Faulty fan "A" & <B>, tray P2 ]]>`,
		SystemName:  "lab-gw-3", ContactName: "Ada Ng", ContactEmail: "ops@lab.example", ContactPhone: "+44-20-555-0190",
		StreetAddress: "4 Mill Lane, Reading",
		Model:         "LABRTR", Serial: "TSTA2711X9Q", PartNo: "68-1234-09", HWVersion: "3.0", SWVersion: "16.3.1",
		SysObjectID: "1.3.6.1.4.1.99999.2.31", SysDescr: "Lab router software,\nversion \"16.3.1\"",
		Additional: []callhome.Tag{{Key: "ServiceNumber", Value: "SR-6001"}, {Key: "PID", Value: "LABRTR-K9"}},
		FRUs: []callhome.FRU{
			{Name: "LAB-LC8", Serial: "TSTL8", PartNo: "73-8-02", Slot: "1", HWVersion: "2.0", SWVersion: "16.3.1"},
			{Name: "LAB-FAN", Slot: "P2", Additional: []callhome.Tag{{Key: "CLEI", Value: "XYZ"}}},
			{Name: "LAB-PS", Additional: []callhome.Tag{{Key: adChassisSerial, Value: "TSTB2"}}},
		},
		Chassis:   []callhome.FRU{{Name: "LABRTR", Serial: "TSTB2", PartNo: "68-1234-08", SWVersion: "16.3.1"}},
		Processes: []callhome.Process{{Name: "fand", ID: "1312", State: "crashed", Exception: "11"}},
		Pairs:     []callhome.Tag{{Key: "syslog_facility", Value: "PLATFORM_ENV"}, {Key: "tray", Value: "P\t2"}},
		Attachments: []callhome.Attachment{
			{Name: "show environment", Type: "inline", Encoding: "plain", Text: "show environment\nP2  fan  Fail  0 RPM  a[b[1]]> <x>\n"},
			{Name: "dir core: | include \"x\"", Type: "inline", Encoding: "base64", Text: "\x00\x01\xff"},
			{Name: "show clock", Type: "inline", Encoding: "text", Text: "  07:26:12\n"},
		},
	}
}

// smallMessage has what every message must have and no more.
func smallMessage() *callhome.Message {
	level := callhome.LevelNormal
	return &callhome.Message{
		MessageID: "7:TSTN1:6A2CE9F4", EventTime: callhome.At(time.Date(2026, 6, 13, 5, 26, 12, 0, time.UTC)),
		Group: callhome.GroupTest, Severity: &level,
	}
}

// plainMessage is what a device sends day by day: a log line, its identity, two cards.
func plainMessage() *callhome.Message {
	m := fullMessage()
	m.Description = "*Jun 13 05:26:09.871: %PLATFORM_ENV-1-FAN: Faulty fan detected, tray P2"
	m.SiteID, m.SysDescr = "Hall 3", "Lab router software, version 16.3.1"
	m.Chassis, m.Processes, m.Pairs, m.FRUs, m.Attachments = nil, nil, nil, m.FRUs[:2], nil
	return m
}

// sized is a message with one attachment of show output, of about size bytes as ios XML.
func sized(size int) *callhome.Message {
	m := plainMessage()
	base, err := Size(m, variants[0])
	if err != nil {
		panic(err)
	}
	var text strings.Builder
	for i := 0; base+text.Len() < size-200; i++ {
		text.WriteString("GigabitEthernet0/0/" + strconv.Itoa(i%48) + "   192.0.2." + strconv.Itoa(i%250) + "   YES NVRAM  up      up\n")
	}
	m.Attachments = []callhome.Attachment{{Name: "show ip interface brief", Type: "inline", Encoding: "plain", Text: text.String()}}
	return m
}

// cards is a message that is all markup: an inventory of n cards.
func cards(n int) *callhome.Message {
	m := plainMessage()
	m.FRUs = nil
	for i := range n {
		s := strconv.Itoa(i)
		m.FRUs = append(m.FRUs, callhome.FRU{
			Name: "LAB-LC" + s, Serial: "TSTL" + s, PartNo: "73-" + s, Slot: s, HWVersion: "2.0", SWVersion: "16.3.1",
		})
	}
	return m
}
