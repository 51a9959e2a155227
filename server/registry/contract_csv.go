package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"callhome"
	"callhome/server/account"
)

// Bounds of a file of contracts.
const (
	maxCSVBytes  = 64 << 20 // some hundred thousand lines
	maxCSVFaults = 1000     // named at once; a file in the wrong format has a fault in every line
)

// Fault is something wrong with a file, and where.
type Fault struct {
	Line    int    `json:"line"` // from 1, the header being a line
	Column  string `json:"column,omitempty"`
	Message string `json:"message"`
}

// Error is the fault in one line.
func (f Fault) Error() string {
	if f.Column == "" {
		return fmt.Sprintf("line %d: %s", f.Line, f.Message)
	}
	return fmt.Sprintf("line %d, column %s: %s", f.Line, f.Column, f.Message)
}

// csvColumns are the columns that a file of contracts may have; the first two it must have.
var csvColumns = []string{"contract", "company", "tier", "from", "until", "name", "serial", "product", "email", "user"}

// ContractRow is what a file says of one contract, over all of its lines.
type ContractRow struct {
	Contract
	CompanyName string
	Line        int // of its first
}

// ReadContracts reads a file of contracts: CSV in UTF-8 with a header. Each line names a contract; further lines of the
// same contract add what it covers and who may claim it. With faults no contract is given.
//
//	contract   number, needed
//	company    name of the company, needed on the contract's first line
//	tier       a word
//	from       first day, 2026-03-14; empty: since ever
//	until      last day; empty: without end
//	name       what people call it
//	serial     a chassis serial number that it covers
//	product    a product model that it covers, with * and ?; "*" covers all devices that name the contract
//	email      a mail address that may claim it, or @domain
//	user       a portal user that may claim it
func ReadContracts(r io.Reader) ([]ContractRow, []Fault, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxCSVBytes+1))
	if err != nil {
		return nil, nil, err
	}
	if len(text) > maxCSVBytes {
		return nil, nil, callhome.Errorf(callhome.KindInvalid, "the file has more than %d MiB; split it", maxCSVBytes>>20)
	}
	f := &contractFile{rows: map[string]*ContractRow{}, seen: map[string]bool{}}
	f.read(csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xEF\xBB\xBF")))))
	if len(f.faults) > 0 {
		return nil, f.faults, nil
	}
	out := make([]ContractRow, len(f.order))
	for i, key := range f.order {
		out[i] = *f.rows[key]
	}
	return out, nil, nil
}

// contractFile is a file of contracts while it is read.
type contractFile struct {
	columns []string
	rows    map[string]*ContractRow // by number in lower case
	order   []string
	seen    map[string]bool // covers and claims that were read
	faults  []Fault
}

func (f *contractFile) fault(line int, column, format string, args ...any) {
	if len(f.faults) < maxCSVFaults {
		f.faults = append(f.faults, Fault{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
	}
}

func (f *contractFile) read(c *csv.Reader) {
	c.FieldsPerRecord, c.TrimLeadingSpace = -1, true
	for {
		record, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			f.fault(bad.StartLine, "", "%v", bad.Err)
			if f.columns == nil {
				return
			}
			continue
		}
		line, _ := c.FieldPos(0)
		switch {
		case err != nil:
			f.fault(line, "", "%v", err)
			return
		case f.columns == nil:
			if !f.header(line, record) {
				return
			}
		case len(record) != len(f.columns):
			f.fault(line, "", "has %d fields; the header has %d", len(record), len(f.columns))
		default:
			f.line(line, record)
		}
	}
	if f.columns == nil {
		f.fault(1, "", "the file is empty; its first line must name the columns: %s", strings.Join(csvColumns, ","))
	}
}

func (f *contractFile) header(line int, record []string) bool {
	for _, name := range record {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(csvColumns, name) {
			f.fault(line, name, "is not one of %s", strings.Join(csvColumns, ", "))
		}
		if slices.Contains(f.columns, name) {
			f.fault(line, name, "is there twice")
		}
		f.columns = append(f.columns, name)
	}
	for _, needed := range csvColumns[:2] {
		if !slices.Contains(f.columns, needed) {
			f.fault(line, needed, "is missing")
		}
	}
	return len(f.faults) == 0
}

// line takes one line.
func (f *contractFile) line(line int, record []string) {
	v := map[string]string{}
	for i, name := range f.columns {
		v[name] = strings.TrimSpace(record[i])
		if v[name] != "" && !plainWord(v[name]) {
			f.fault(line, name, "is longer than %d bytes or has characters that cannot be printed", maxKeyPart)
			return
		}
	}
	if v["contract"] == "" {
		f.fault(line, "contract", "is empty")
		return
	}
	row := f.row(line, v)
	if row == nil {
		return
	}
	for _, kind := range []CoverKind{CoverSerial, CoverProduct} {
		if value := v[string(kind)]; value != "" {
			f.cover(line, row, Cover{kind, value})
		}
	}
	for _, kind := range []ClaimKind{ClaimEmail, ClaimUser} {
		if value := strings.ToLower(v[string(kind)]); value != "" {
			f.claim(line, row, Claim{kind, value})
		}
	}
}

// row is the contract of a line; a later line may leave out what the first said, and may not say otherwise.
func (f *contractFile) row(line int, v map[string]string) *ContractRow {
	says := &ContractRow{CompanyName: v["company"], Line: line}
	says.Number, says.Tier, says.Name = v["contract"], Tier(v["tier"]), v["name"]
	says.From = f.day(line, "from", v["from"], 0)
	says.Until = f.day(line, "until", v["until"], 1)
	key := strings.ToLower(says.Number)
	row := f.rows[key]
	if row == nil {
		if says.CompanyName == "" {
			f.fault(line, "company", "is empty on the first line of contract %s", says.Number)
			return nil
		}
		if !says.From.IsZero() && !says.Until.IsZero() && !says.From.Before(says.Until) {
			f.fault(line, "until", "is before the first day")
		}
		f.rows[key], f.order = says, append(f.order, key)
		return says
	}
	for _, other := range []struct {
		column      string
		said, again string
	}{
		{"company", row.CompanyName, says.CompanyName}, {"tier", string(row.Tier), string(says.Tier)}, {"name", row.Name, says.Name},
		{"from", stampDay(row.From), stampDay(says.From)}, {"until", stampDay(row.Until), stampDay(says.Until)},
	} {
		if other.again != "" && other.again != other.said {
			f.fault(line, other.column, "is %q; line %d says %q of the same contract", other.again, row.Line, other.said)
		}
	}
	return row
}

func stampDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// day reads a day; plus is added to make a last day the first moment after it.
func (f *contractFile) day(line int, column, value string, plus int) time.Time {
	if value == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, value)
	if err != nil {
		f.fault(line, column, "%q is not a day such as 2026-03-14", value)
		return time.Time{}
	}
	return t.AddDate(0, 0, plus)
}

func (f *contractFile) cover(line int, row *ContractRow, c Cover) {
	if c.Kind == CoverProduct {
		if _, err := path.Match(c.Value, ""); err != nil {
			f.fault(line, "product", "%q is not a pattern", c.Value)
			return
		}
	}
	key := strings.Join([]string{strings.ToLower(row.Number), string(c.Kind), strings.ToUpper(c.Value)}, "\x00")
	if !f.seen[key] {
		f.seen[key], row.Covers = true, append(row.Covers, c)
	}
}

func (f *contractFile) claim(line int, row *ContractRow, c Claim) {
	if c.Kind == ClaimEmail && !plainAddress(c.Value) && (!strings.HasPrefix(c.Value, "@") || !plainAddress("any"+c.Value)) {
		f.fault(line, "email", "%q is neither a mail address nor @domain", c.Value)
		return
	}
	key := strings.Join([]string{strings.ToLower(row.Number), string(c.Kind), c.Value}, "\x00")
	if !f.seen[key] {
		f.seen[key], row.Claims = true, append(row.Claims, c)
	}
}

// ImportOptions say how contracts are imported.
type ImportOptions struct {
	DryRun  bool
	Replace bool // contracts of the file cover exactly what the file says; else what it says is added
	// Company gives the ID of a company's name; KindNotFound makes the line a fault.
	Company func(ctx context.Context, name string) (account.CompanyID, error)
}

// Imported is what an import came to.
type Imported struct {
	Added     int     `json:"added"`
	Changed   int     `json:"changed"`
	Unchanged int     `json:"unchanged"`
	Devices   int64   `json:"devices"` // whose entitlement changed
	Faults    []Fault `json:"faults,omitempty"`
	DryRun    bool    `json:"dry_run,omitempty"`
}

// Import brings a file of contracts into the registry, all of it or, with a fault anywhere, nothing. Importing the same
// file again changes nothing.
func (r *Registrar) Import(ctx context.Context, s Store, file io.Reader, o ImportOptions) (*Imported, error) {
	rows, faults, err := ReadContracts(file)
	if err != nil {
		return nil, err
	}
	out := &Imported{Faults: faults, DryRun: o.DryRun}
	for k := range rows {
		id, err := o.Company(ctx, rows[k].CompanyName)
		if err != nil && callhome.KindOf(err) == callhome.KindNotFound {
			out.Faults = append(out.Faults, Fault{Line: rows[k].Line, Column: "company", Message: fmt.Sprintf("there is no company %q", rows[k].CompanyName)})
			continue
		}
		if err != nil {
			return nil, err
		}
		rows[k].Company = id
	}
	if len(out.Faults) > 0 {
		return out, nil
	}
	for k := range rows {
		if err := r.importOne(ctx, s, &rows[k].Contract, o, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *Registrar) importOne(ctx context.Context, s Store, says *Contract, o ImportOptions, out *Imported) error {
	have, err := s.Contract(ctx, says.Number)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return err
	}
	if err != nil {
		have = nil
		out.Added++
	} else {
		says.ID, says.WarnedFor = have.ID, have.WarnedFor
		if !o.Replace {
			says.Covers, says.Claims = union(have.Covers, says.Covers, Cover.key), union(have.Claims, says.Claims, Claim.key)
		}
		if says.same(have) {
			out.Unchanged++
			return nil
		}
		out.Changed++
	}
	if o.DryRun {
		return nil
	}
	return r.put(ctx, s, says, have, out)
}

// put stores a contract and lets it decide about its devices.
func (r *Registrar) put(ctx context.Context, s Store, c, before *Contract, out *Imported) error {
	c.UpdatedAt = r.now()
	if err := s.PutContract(ctx, c); err != nil {
		return err
	}
	n, err := r.Recover(ctx, s, c.Number)
	out.Devices += n
	if err != nil {
		return err
	}
	known := map[string]bool{}
	if before != nil {
		for _, cover := range before.Covers {
			known[cover.key()] = true
		}
	}
	for _, cover := range c.Covers {
		if cover.Kind != CoverSerial || known[cover.key()] {
			continue
		}
		n, err := r.recoverSerial(ctx, s, cover.Value)
		out.Devices += n
		if err != nil {
			return err
		}
	}
	return nil
}

// recoverSerial lets the contracts decide about devices of a serial number that a contract lists newly.
func (r *Registrar) recoverSerial(ctx context.Context, s Store, serial string) (changed int64, err error) {
	devices, err := s.DevicesBySerial(ctx, serial, twinsLimit)
	for k := range devices {
		d := &devices[k]
		was := *d
		if err := r.recover(ctx, s, d, r.now()); err != nil {
			return changed, err
		}
		if *d != was {
			changed++
			if err := s.PutDevice(ctx, d); err != nil {
				return changed, err
			}
		}
	}
	return changed, err
}

// PutContract stores a contract that a person edited and lets it decide about its devices.
func (r *Registrar) PutContract(ctx context.Context, s Store, c *Contract) (*Imported, error) {
	if !plainWord(c.Number) || !c.From.IsZero() && !c.Until.IsZero() && !c.From.Before(c.Until) {
		return nil, callhome.Errorf(callhome.KindInvalid, "a contract needs a number and must begin before it ends")
	}
	before, err := s.Contract(ctx, c.Number)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	if err != nil {
		before = nil
	} else {
		c.ID = before.ID
	}
	out := &Imported{Added: 1}
	if before != nil {
		out = &Imported{Changed: 1}
	}
	return out, r.put(ctx, s, c, before, out)
}

func (c Cover) key() string { return string(c.Kind) + "\x00" + strings.ToUpper(c.Value) }
func (c Claim) key() string { return string(c.Kind) + "\x00" + strings.ToLower(c.Value) }

func (c *Contract) same(o *Contract) bool {
	return c.Company == o.Company && c.Tier == o.Tier && c.Name == o.Name && c.From.Equal(o.From) && c.Until.Equal(o.Until) &&
		len(c.Covers) == len(o.Covers) && len(union(c.Covers, o.Covers, Cover.key)) == len(c.Covers) &&
		len(c.Claims) == len(o.Claims) && len(union(c.Claims, o.Claims, Claim.key)) == len(c.Claims)
}

// union is a and what of b is not in it.
func union[T any](a, b []T, key func(T) string) []T {
	have := map[string]bool{}
	out := slices.Clone(a)
	for _, v := range a {
		have[key(v)] = true
	}
	for _, v := range b {
		if !have[key(v)] {
			have[key(v)] = true
			out = append(out, v)
		}
	}
	return out
}
