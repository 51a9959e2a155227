package aml

import (
	"strings"
	"time"

	"pgregory.net/rapid"

	"callhome"
)

// cleanText is text as it comes back: characters that XML allows, no white space at the ends.
func cleanText(t *rapid.T, label string) string {
	s := rapid.StringOfN(rapid.OneOf(
		rapid.RuneFrom([]rune("ab<>&\"']]>\t\n\r ;-")), rapid.RuneFrom([]rune("é€\u0085\u2028\uFFFD😀")), rapid.Rune(),
	), 0, 12, -1).Draw(t, label)
	return trim(strings.Map(func(r rune) rune {
		if !legal(r) {
			return '?'
		}
		return r
	}, s))
}

// hostileText is any bytes, with a liking for those that hurt.
func hostileText(t *rapid.T, label string) string {
	parts := rapid.SliceOfN(rapid.OneOf(
		rapid.SampledFrom([]string{"]]>", "]", "<", "&", "&lt;", "<![CDATA[", "\x00", "\r\n", "\r", "\xff", "\xed\xa0\x80", "\uFFFE", "\x1b[0m", "-->", "?>", " "}),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 6), func(b []byte) string { return string(b) }),
	), 0, 6).Draw(t, label)
	return strings.Join(parts, "")
}

// output is device output as it comes back: line ends are line feeds.
func output(t *rapid.T, label string, draw func(*rapid.T, string) string) string {
	s := draw(t, label)
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

func drawTags(t *rapid.T, label string, draw func(*rapid.T, string) string) []callhome.Tag {
	var tags []callhome.Tag
	for range rapid.IntRange(0, 2).Draw(t, label) {
		if value := draw(t, "value"); value != "" {
			tags = append(tags, callhome.Tag{Key: "X-" + draw(t, "key"), Value: value})
		}
	}
	return tags
}

func drawUnit(t *rapid.T, draw func(*rapid.T, string) string) callhome.FRU {
	return callhome.FRU{
		Name: draw(t, "unit"), Serial: draw(t, "serial"), PartNo: draw(t, "part"), HWVersion: draw(t, "hw"), SWVersion: draw(t, "sw"),
		Additional: drawTags(t, "ads", draw),
	}
}

// drawTime stays below 2040, up to where the two epochs of a message ID can be told apart.
func drawTime(t *rapid.T, label string) callhome.Timestamp {
	sec := rapid.Int64Range(0, 2_208_988_799).Draw(t, label)
	if rapid.Bool().Draw(t, "no zone") {
		return callhome.Timestamp{Time: time.Unix(sec, 0).UTC(), NoZone: true}
	}
	return callhome.At(time.Unix(sec, 0).In(time.FixedZone("", 60*rapid.IntRange(-720, 840).Draw(t, "offset"))))
}

// drawMessage makes a message in the form that Decode gives to what variant v writes.
func drawMessage(t *rapid.T, v Variant, draw func(*rapid.T, string) string) *callhome.Message {
	group := rapid.SampledFrom(callhome.AlertGroups()).Draw(t, "group")
	level := callhome.Level(rapid.IntRange(0, 9).Draw(t, "level"))
	created := drawTime(t, "created")
	id := callhome.MakeMessageID(v.MessagePrefix, rapid.Uint64Range(0, 1<<62).Draw(t, "n"), "TST"+draw(t, "id"), created.Time)
	m := &callhome.Message{
		Format: callhome.FormatXML, MessageID: id, GroupID: nextID(id, v.GroupPrefix),
		EventTime: drawTime(t, "time"), CreationTime: created, Group: group, Type: string(group), Name: string(group), Severity: &level,
		Subtype: draw(t, "subtype"), Brand: "L" + draw(t, "brand"), SourceID: draw(t, "series"), Builder: "b" + draw(t, "builder"), BuilderVersion: v.BuilderVersion,
		DeviceID:   callhome.MakeDeviceID(draw(t, "model")+"x", "y"+draw(t, "serial")),
		CustomerID: draw(t, "customer"), ContractID: draw(t, "contract"), SiteID: draw(t, "site"), CCOID: draw(t, "ccoid"),
		Description: draw(t, "description"), SystemName: draw(t, "name"), ContactName: draw(t, "contact"), ContactEmail: draw(t, "email"),
		ContactPhone: draw(t, "phone"), StreetAddress: draw(t, "street"),
		Model: draw(t, "model"), Serial: draw(t, "serial"), PartNo: draw(t, "part"), HWVersion: draw(t, "hw"), SWVersion: draw(t, "sw"),
		SysObjectID: draw(t, "object"), SysDescr: draw(t, "descr"), Additional: drawTags(t, "ads", draw), Pairs: drawTags(t, "pairs", draw),
	}
	drawParts(t, m, draw)
	m.Dialect, m.Name = dialectOf(m), nameOf(m)
	if m.EventTime.NoZone {
		m.Flags = append(m.Flags, FlagNoZone)
	}
	return m
}

// drawParts adds cards, further chassis, processes, attachments and the block.
func drawParts(t *rapid.T, m *callhome.Message, draw func(*rapid.T, string) string) {
	for range rapid.IntRange(0, 2).Draw(t, "cards") {
		u := drawUnit(t, draw)
		u.Slot = draw(t, "slot")
		m.FRUs = append(m.FRUs, u)
	}
	for range rapid.IntRange(0, 2).Draw(t, "chassis") {
		c := drawUnit(t, draw)
		c.Serial = "further" + string(rune('0'+len(m.Chassis)))
		m.Chassis = append(m.Chassis, c)
		u := drawUnit(t, draw)
		u.Additional = append(u.Additional, callhome.Tag{Key: adChassisSerial, Value: c.Serial})
		m.FRUs = append(m.FRUs, u)
	}
	for range rapid.IntRange(0, 2).Draw(t, "processes") {
		m.Processes = append(m.Processes, callhome.Process{Name: draw(t, "process"), ID: draw(t, "pid"), State: draw(t, "state"), Exception: draw(t, "signal")})
	}
	for range rapid.IntRange(0, 3).Draw(t, "attachments") {
		a := callhome.Attachment{Name: draw(t, "command"), Type: "inline", Encoding: rapid.SampledFrom([]string{"plain", "text", "base64"}).Draw(t, "encoding")}
		a.Text = output(t, "output", draw)
		m.Attachments = append(m.Attachments, a)
	}
	if rapid.Bool().Draw(t, "blocks") {
		m.Block = &callhome.Block{Number: rapid.IntRange(1, 9).Draw(t, "number"), IsLast: true}
	}
}
