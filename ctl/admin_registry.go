package ctl

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/server/registry"
)

// The calls about devices, contracts and enrolment that a running back end answers.
const (
	CallDeviceList      = "device-list"
	CallDeviceShow      = "device-show"
	CallDeviceConfirm   = "device-confirm"
	CallDeviceDecide    = "device-decide"
	CallDeviceAssign    = "device-assign"
	CallDeviceConflicts = "device-conflicts"
	CallDeviceResolve   = "device-resolve"
	CallContractList    = "contract-list"
	CallContractShow    = "contract-show"
	CallContractImport  = "contract-import"
	CallContractDelete  = "contract-delete"
	CallEnrolToken      = "enrol-token" //nolint:gosec // the name of a call
	CallEnrolList       = "enrol-list"
	CallEnrolRevoke     = "enrol-revoke"
	CallEnrolDrift      = "enrol-drift"
)

// DeviceQuery chooses devices.
type DeviceQuery struct {
	PageQuery
	Filter registry.DeviceFilter `json:"filter"`
}

// DeviceRow is a device with the name of its company.
type DeviceRow struct {
	registry.Device
	CompanyName string              `json:"company_name,omitempty"`
	Schedules   []registry.Schedule `json:"schedules,omitempty"` // of one device that is shown
}

// DeviceOrder asks for something about devices. Each is named by its number, its device ID or its serial number.
type DeviceOrder struct {
	Devices   []string           `json:"devices,omitempty"`
	AllAsking bool               `json:"all_asking,omitempty"` // confirm: all that wait and that a contract covers
	Happening registry.Happening `json:"happening,omitempty"`  // decide
	Company   string             `json:"company,omitempty"`
	Contract  string             `json:"contract,omitempty"`
}

// DeviceResult is what became of one device.
type DeviceResult struct {
	Device callhome.DeviceID `json:"device_id"`
	State  registry.State    `json:"state,omitempty"`
	Error  string            `json:"error,omitempty"`
}

// ResolveOrder decides a conflict.
type ResolveOrder struct {
	ID       int64                  `json:"id"`
	Decision registry.ConflictState `json:"decision"`
}

// ImportOrder is a file of contracts.
type ImportOrder struct {
	CSV     string `json:"csv"`
	DryRun  bool   `json:"dry_run,omitempty"`
	Replace bool   `json:"replace,omitempty"`
}

// ContractRow is a contract with the name of its company and the number of its devices.
type ContractRow struct {
	registry.Contract
	CompanyName string `json:"company_name,omitempty"`
	Devices     int64  `json:"devices"`
}

// EnrolOrder makes a one-time token for an agent or gateway.
type EnrolOrder struct {
	Kind     enrol.Kind    `json:"kind"`
	Company  string        `json:"company,omitempty"`
	Name     string        `json:"name,omitempty"`
	Lifetime time.Duration `json:"lifetime,omitempty"`
}

// RevokeOrder ends an agent's or gateway's membership.
type RevokeOrder struct {
	ID     registry.EnrolmentID `json:"id"`
	Reason string               `json:"reason"`
}

// EnrolmentRow is an agent or gateway with the name of its company.
type EnrolmentRow struct {
	registry.Enrolment
	CompanyName string `json:"company_name,omitempty"`
	Late        bool   `json:"late,omitempty"`
}

// Devices lists devices.
func (a *Admin) Devices(ctx context.Context, q DeviceQuery) error {
	var rows []DeviceRow
	err := a.Client.Call(ctx, CallDeviceList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{
			{"ID", 19, 8}, {"Host name", 16, 8}, {"Device ID", 26, 12}, {"Version", 10, 6}, {"Company", 12, 6}, {"Contract", 12, 6}, {"State", 18, 10}, {"Last seen (UTC)", 19, 16},
		}}
		for k := range rows {
			d := &rows[k]
			state := string(d.State)
			if d.Conflict != 0 {
				state += ", conflict"
			}
			t.add(strconv.FormatInt(int64(d.ID), 10), d.SystemName, string(d.DeviceID), d.SWVersion, d.CompanyName, d.Entitlement.Contract, state, when(d.LastSeen, "never"))
		}
		t.print(w, a.width())
	})
}

// Device prints one device in full.
func (a *Admin) Device(ctx context.Context, name string) error {
	var d DeviceRow
	err := a.Client.Call(ctx, CallDeviceShow, DeviceOrder{Devices: []string{name}}, &d)
	if err != nil || a.JSON {
		return a.orJSON(d, err)
	}
	return a.print(func(w *bufio.Writer) {
		for _, line := range [][2]string{
			{"Device ID", string(d.DeviceID)}, {"Number", strconv.FormatInt(int64(d.ID), 10)}, {"Host name", d.SystemName}, {"Personality", d.Personality},
			{"Product family", d.ProductFamily}, {"Software version", d.SWVersion}, {"Company", d.CompanyName}, {"Site", d.Site}, {"Contract named", d.Contract},
			{"Contact", strings.TrimSpace(d.ContactName + " " + d.ContactEmail)}, {"State", string(d.State) + " since " + stamp(d.StateSince)},
			{"Entitlement", entitlement(d.Entitlement)}, {"Comes from", d.Origin.String()}, {"First seen", stamp(d.FirstSeen)}, {"Last seen", stamp(d.LastSeen)},
		} {
			if line[1] != "" {
				fmt.Fprintf(w, "%s: %s\n", line[0], oneLine(line[1]))
			}
		}
		if d.Conflict != 0 {
			fmt.Fprintf(w, "Conflict: %d is open; `callhome admin device conflicts` tells what it is about\n", d.Conflict)
		}
		for _, s := range d.Schedules {
			fmt.Fprintf(w, "Schedule of %s: every %s, last %s, silent from %s\n", s.Group, s.Period, stamp(s.LastAt), when(s.DueAt, "never (not known yet)"))
		}
	})
}

func entitlement(e registry.Entitlement) string {
	if e.Contract == "" {
		return "none"
	}
	return fmt.Sprintf("contract %s, tier %s, until %s", e.Contract, e.Tier, when(e.Until, "no end"))
}

// changeDevices calls for a change of devices and prints what became of each.
func (a *Admin) changeDevices(ctx context.Context, call string, o DeviceOrder) error {
	var out []DeviceResult
	err := a.Client.Call(ctx, call, o, &out)
	if err != nil || a.JSON {
		return a.orJSON(out, err)
	}
	failed := 0
	err = a.print(func(w *bufio.Writer) {
		if len(out) == 0 {
			fmt.Fprintln(w, "no device waits that a contract covers")
		}
		for _, r := range out {
			if r.Error != "" {
				failed++
				fmt.Fprintf(w, "%s: %s\n", r.Device, oneLine(r.Error))
				continue
			}
			fmt.Fprintf(w, "%s: %s\n", r.Device, r.State)
		}
	})
	if err == nil && failed > 0 {
		err = callhome.Errorf(callhome.KindConflict, "%d of %d devices are as they were", failed, len(out))
	}
	return err
}

// ConfirmDevices registers devices in the operator's name.
func (a *Admin) ConfirmDevices(ctx context.Context, o DeviceOrder) error {
	return a.changeDevices(ctx, CallDeviceConfirm, o)
}

// DecideDevices rejects, suspends, resumes or reopens devices.
func (a *Admin) DecideDevices(ctx context.Context, o DeviceOrder) error {
	return a.changeDevices(ctx, CallDeviceDecide, o)
}

// AssignDevices gives devices to a company.
func (a *Admin) AssignDevices(ctx context.Context, o DeviceOrder) error {
	return a.changeDevices(ctx, CallDeviceAssign, o)
}

// Conflicts lists conflicts about serial numbers.
func (a *Admin) Conflicts(ctx context.Context, q PageQuery) error {
	var rows []registry.Conflict
	err := a.Client.Call(ctx, CallDeviceConflicts, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"ID", 19, 8}, {"Serial", 14, 8}, {"Kind", 8, 8}, {"Was", 30, 10}, {"Now", 30, 10}, {"Messages", 8, 8}, {"Last (UTC)", 19, 10}, {"State", 6, 6}}}
		for _, c := range rows {
			t.add(strconv.FormatInt(c.ID, 10), c.Serial, string(c.Kind), c.Was, c.Now, strconv.FormatInt(c.Count, 10), when(c.LastAt, ""), string(c.State))
		}
		t.print(w, a.width())
	})
}

// Resolve decides a conflict.
func (a *Admin) Resolve(ctx context.Context, o ResolveOrder) error {
	return a.done(ctx, CallDeviceResolve, o, "conflict %d is decided: %s", o.ID, o.Decision)
}

// Contracts lists contracts.
func (a *Admin) Contracts(ctx context.Context, q PageQuery) error {
	var rows []ContractRow
	err := a.Client.Call(ctx, CallContractList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"ID", 19, 8}, {"Contract", 16, 8}, {"Company", 20, 8}, {"Tier", 10, 5}, {"From", 10, 10}, {"Until", 10, 10}, {"Devices", 7, 7}, {"Name", 20, 6}}}
		for k := range rows {
			c := &rows[k]
			t.add(strconv.FormatInt(c.ID, 10), c.Number, c.CompanyName, string(c.Tier), dayOf(c.From, 0), dayOf(c.Until, -1), strconv.FormatInt(c.Devices, 10), c.Name)
		}
		t.print(w, a.width())
	})
}

func dayOf(t time.Time, plus int) string {
	if t.IsZero() {
		return "-"
	}
	return t.AddDate(0, 0, plus).UTC().Format(time.DateOnly)
}

// Contract prints one contract with what it covers.
func (a *Admin) Contract(ctx context.Context, number string) error {
	var c ContractRow
	err := a.Client.Call(ctx, CallContractShow, NameOrder{Name: number}, &c)
	if err != nil || a.JSON {
		return a.orJSON(c, err)
	}
	return a.print(func(w *bufio.Writer) {
		fmt.Fprintf(w, "Contract: %s\nCompany: %s\nTier: %s\nFrom: %s\nUntil: %s\nDevices: %d\n", c.Number, oneLine(c.CompanyName), c.Tier, dayOf(c.From, 0), dayOf(c.Until, -1), c.Devices)
		for _, v := range c.Covers {
			fmt.Fprintf(w, "Covers %s: %s\n", v.Kind, oneLine(v.Value))
		}
		for _, v := range c.Claims {
			fmt.Fprintf(w, "May be claimed by %s: %s\n", v.Kind, oneLine(v.Value))
		}
	})
}

// ImportContracts brings a file of contracts into the registry, all of it or nothing.
func (a *Admin) ImportContracts(ctx context.Context, o ImportOrder) error {
	var out registry.Imported
	if err := a.Client.Call(ctx, CallContractImport, o, &out); err != nil {
		return err
	}
	if a.JSON {
		if err := a.orJSON(out, nil); err != nil {
			return err
		}
	}
	if n := len(out.Faults); n > 0 {
		if !a.JSON {
			for _, f := range out.Faults {
				fmt.Fprintln(a.Out, f.Error())
			}
		}
		return callhome.Errorf(callhome.KindInvalid, "nothing was imported: the file has %d faults", n)
	}
	if a.JSON {
		return nil
	}
	word := "imported"
	if o.DryRun {
		word = "would be imported"
	}
	_, err := fmt.Fprintf(a.Out, "%s: %d contracts new, %d changed, %d as they were; the entitlement of %d devices changed\n", word, out.Added, out.Changed, out.Unchanged, out.Devices)
	return err
}

// DeleteContract removes a contract.
func (a *Admin) DeleteContract(ctx context.Context, number string) error {
	return a.done(ctx, CallContractDelete, NameOrder{Name: number}, "contract %s is removed", number)
}

// EnrolToken makes a one-time token and prints it, alone.
func (a *Admin) EnrolToken(ctx context.Context, o EnrolOrder) error {
	return a.issue(ctx, CallEnrolToken, o)
}

// Enrolments lists agents and gateways.
func (a *Admin) Enrolments(ctx context.Context, q PageQuery) error {
	var rows []EnrolmentRow
	err := a.Client.Call(ctx, CallEnrolList, q, &rows)
	if err != nil || a.JSON {
		return a.orJSON(rows, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"ID", 19, 8}, {"Kind", 7, 7}, {"Name", 16, 8}, {"Company", 14, 6}, {"Version", 10, 6}, {"Queue", 7, 5}, {"Last heard (UTC)", 19, 16}, {"State", 8, 6}}}
		for k := range rows {
			e := &rows[k]
			state := "well"
			switch {
			case !e.RevokedAt.IsZero():
				state = "revoked"
			case e.Late:
				state = "silent"
			case len(e.Beat.Unwell) > 0:
				state = "unwell"
			}
			t.add(strconv.FormatInt(int64(e.ID), 10), string(e.Kind), e.Name, e.CompanyName, e.Beat.Version, strconv.FormatInt(e.Beat.Queue.Depth, 10), when(e.Beat.At, "never"), state)
		}
		t.print(w, a.width())
	})
}

// RevokeEnrolment ends an agent's or gateway's membership.
func (a *Admin) RevokeEnrolment(ctx context.Context, o RevokeOrder) error {
	return a.done(ctx, CallEnrolRevoke, o, "agent or gateway %d is revoked", o.ID)
}

// Drift shows which versions and configurations agents and gateways run.
func (a *Admin) Drift(ctx context.Context) error {
	var v registry.DriftView
	err := a.Client.Call(ctx, CallEnrolDrift, struct{}{}, &v)
	if err != nil || a.JSON {
		return a.orJSON(v, err)
	}
	return a.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"Kind", 7, 7}, {"Version", 20, 8}, {"Configuration", 16, 12}, {"Number", 6, 6}, {"Last heard (UTC)", 19, 16}}}
		for _, r := range v.Rows {
			digest := r.ConfigDigest
			if len(digest) > 12 {
				digest = digest[:12]
			}
			t.add(string(r.Kind), r.Version, digest, strconv.FormatInt(r.N, 10), when(r.Newest, "never"))
		}
		t.print(w, a.width())
		for _, kind := range []enrol.Kind{enrol.KindAgent, enrol.KindGateway} {
			if n := v.Versions[kind]; n > 0 {
				fmt.Fprintf(w, "%ss run %d versions with %d configurations\n", kind, n, v.Configurations[kind])
			}
		}
	})
}
