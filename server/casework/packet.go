package casework

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"callhome"
)

// Packet is all that a supplier asks for when a part has to be replaced.
type Packet struct {
	Number   CaseNumber `json:"number"`
	Made     time.Time  `json:"made"`
	Device   Subject    `json:"device"`
	Problem  string     `json:"problem"`
	Detail   string     `json:"detail,omitempty"`
	Level    string     `json:"level"`
	Since    time.Time  `json:"since"`
	Messages int64      `json:"messages"`

	Part    callhome.FRU `json:"part"`              // what has to be replaced
	Certain bool         `json:"certain"`           // the finding names it; otherwise it is the chassis, and a person has to look
	Missing []string     `json:"missing,omitempty"` // what the supplier will ask for and nobody has told us

	Evidence []Deed   `json:"evidence,omitempty"`
	History  []Event  `json:"history,omitempty"`
	Logs     []string `json:"logs,omitempty"` // names of the files beside it in the archive
}

// Log is one attachment of an archived message, masked by the caller as everything that leaves.
type Log struct {
	Archive int64
	Name    string
	Text    string
}

// NewPacket describes the replacement of the part that the case is about. Units are the device's field-replaceable
// units, as server/inventory has them.
func NewPacket(c *Case, units []callhome.FRU, evidence []Deed, history []Event, now time.Time) *Packet {
	p := &Packet{
		Number: c.Number, Made: now.UTC(), Device: c.Subject, Problem: c.Title, Detail: c.Diagnosis, Level: c.Level.String(),
		Since: c.OpenedAt.UTC(), Messages: c.Repeats + 1, Evidence: evidence, History: history,
	}
	p.Part, p.Certain = unitOf(c, units)
	for _, f := range []struct{ name, value string }{
		{"part number", firstOf(p.Part.PartNo, p.Part.Name)}, {"serial number", p.Part.Serial}, {"contract", c.Subject.Contract},
		{"contact name", c.Subject.ContactName}, {"contact e-mail or phone", firstOf(c.Subject.ContactEmail, c.Subject.ContactPhone)},
		{"street address", c.Subject.StreetAddress},
	} {
		if f.value == "" {
			p.Missing = append(p.Missing, f.name)
		}
	}
	return p
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// unitOf finds the unit that the component of a case names, by serial number, slot or name; else the chassis.
func unitOf(c *Case, units []callhome.FRU) (callhome.FRU, bool) {
	words := []string{c.Component, c.Key}
	for _, field := range []func(*callhome.FRU) string{
		func(u *callhome.FRU) string { return u.Serial }, func(u *callhome.FRU) string { return u.Slot }, func(u *callhome.FRU) string { return u.Name },
	} {
		for _, w := range words {
			var hit []callhome.FRU
			for i := range units {
				if v := field(&units[i]); v != "" && w != "" && strings.EqualFold(v, w) {
					hit = append(hit, units[i])
				}
			}
			if len(hit) == 1 { // two power supplies of one model are no answer
				return hit[0], true
			}
		}
	}
	return callhome.FRU{Name: c.Subject.Model, Serial: c.Subject.Serial, SWVersion: c.Subject.SWVersion}, false
}

// Text is the packet for a mail or a form.
func (p *Packet) Text() string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-18s %s\n", name+":", clean(value))
		}
	}
	fmt.Fprintf(&b, "REPLACEMENT OF A PART\n\n")
	line("Service request", string(p.Number))
	line("Problem", p.Problem)
	line("Level", p.Level)
	line("Since", p.Since.Format(time.RFC3339))
	line("Messages", fmt.Sprint(p.Messages))
	b.WriteString("\nPart\n")
	line("  Name", p.Part.Name)
	line("  Part number", p.Part.PartNo)
	line("  Serial number", p.Part.Serial)
	line("  Slot", p.Part.Slot)
	line("  Hardware", p.Part.HWVersion)
	line("  Software", p.Part.SWVersion)
	if !p.Certain {
		b.WriteString("  The finding does not name one unit: this is the chassis. Look before you order.\n")
	}
	b.WriteString("\nDevice\n")
	line("  Host", p.Device.Host)
	line("  Model", p.Device.Model)
	line("  Serial number", p.Device.Serial)
	line("  Software", p.Device.SWVersion)
	line("  Contract", p.Device.Contract)
	b.WriteString("\nShip to\n")
	line("  Company", p.Device.CompanyName)
	line("  Site", p.Device.Site)
	line("  Contact", p.Device.ContactName)
	line("  E-mail", p.Device.ContactEmail)
	line("  Phone", p.Device.ContactPhone)
	line("  Street address", p.Device.StreetAddress)
	if len(p.Missing) > 0 {
		fmt.Fprintf(&b, "\nNot known: %s.\n", strings.Join(p.Missing, ", "))
	}
	if p.Detail != "" {
		fmt.Fprintf(&b, "\nDiagnosis\n%s\n", strings.TrimSpace(p.Detail))
	}
	if len(p.Logs) > 0 {
		fmt.Fprintf(&b, "\nLogs\n  %s\n", strings.Join(p.Logs, "\n  "))
	}
	return b.String()
}

// Bounds of a packet's archive: what mail servers and portals of suppliers commonly take.
const (
	maxLogs     = 100
	maxLogBytes = 20 << 20
)

// WriteZip writes packet.txt, packet.json and the logs as a zip archive. Logs beyond 100 files or 20 MiB together are
// left out, and the list in the packet says so.
func (p *Packet) WriteZip(w io.Writer, logs []Log) error {
	z := zip.NewWriter(w)
	left := maxLogBytes
	p.Logs = nil
	for i, l := range logs {
		if i >= maxLogs || len(l.Text) > left {
			p.Logs = append(p.Logs, fmt.Sprintf("%s of message %d: left out, too large", clean(l.Name), l.Archive))
			continue
		}
		left -= len(l.Text)
		name := fmt.Sprintf("logs/%03d-%s.txt", i+1, fileName(l.Name))
		if err := p.file(z, name, []byte(l.Text)); err != nil {
			return err
		}
		p.Logs = append(p.Logs, name)
	}
	encoded, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	if err := p.file(z, "packet.json", encoded); err != nil {
		return err
	}
	if err := p.file(z, "packet.txt", []byte(p.Text())); err != nil {
		return err
	}
	return z.Close()
}

func (p *Packet) file(z *zip.Writer, name string, b []byte) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: p.Made})
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return err
}

// fileName makes a file name of a command: nothing that a shell or another system takes for more than a letter.
func fileName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return r
		}
		return '-'
	}, s)
	return strings.Trim(clip(s, 60), "-")
}
