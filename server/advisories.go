package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"callhome"
	"callhome/server/account"
	"callhome/server/advisory"
	"callhome/server/casework"
	"callhome/server/notify"
	"callhome/server/registry"
)

// matchAdvisories holds the device against what makers published, when something that counts for it has changed.
func (p *passage) matchAdvisories(ctx context.Context) error {
	events, err := advisory.Review(ctx, p.rooms.Advisory(), p.rooms.Inventory(), p.rooms.ConfigHistory(), int64(p.id.Device.ID), p.at)
	if err != nil {
		return fmt.Errorf("advisories: %w", err)
	}
	return p.s.tellAdvisories(ctx, p.rooms, events)
}

// tellAdvisories tells of devices that are newly affected.
func (s *Server) tellAdvisories(ctx context.Context, rooms Rooms, events []advisory.Event) error {
	for i := range events {
		e := &events[i]
		if !e.Newly() {
			continue
		}
		d, err := rooms.Registry().Device(ctx, registry.ID(e.Device))
		if err != nil {
			return err
		}
		if err := s.announce(ctx, rooms, s.ofAdvisory(d, e), d.ContactEmail); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) ofAdvisory(d *registry.Device, e *advisory.Event) notify.Notice {
	n := &e.Notice
	if n.Sort == advisory.EndOfLife {
		m := n.Milestones
		days := []notify.Milestone{{Name: "Announced", On: m.Announced}, {Name: "End of sale", On: m.EndOfSale}, {Name: "End of software maintenance", On: m.EndOfSoftware},
			{Name: "End of security fixes", On: m.EndOfSecurity}, {Name: "Last day of support", On: m.LastSupport}}
		known := days[:0]
		for _, day := range days {
			if !day.On.IsZero() {
				known = append(known, day)
			}
		}
		return notify.EndOfLife(d.Company, d.Model, n.Ident, known, 1, m.Replacement, s.now())
	}
	sub := subjectOf(d)
	evidence := make([]string, 0, len(e.Evidence))
	for _, v := range e.Evidence {
		evidence = append(evidence, v.Text())
	}
	remedy := n.Fix
	if remedy == "" {
		remedy = n.Workaround
	}
	return notify.AdvisoryAffects(&sub, strings.ReplaceAll(string(n.Sort), "-", " "), n.Ident, n.Version, n.Title, n.Impact, impactLevels[n.Impact], evidence, remedy, s.now())
}

// impactLevels are the levels of published impacts.
var impactLevels = map[string]callhome.Level{
	"critical": callhome.LevelCritical, "high": callhome.LevelMajor, "medium": callhome.LevelMinor, "low": callhome.LevelWarning, "none": callhome.LevelNotification,
}

// subjectOf is a device as the desk and the notices know it.
func subjectOf(d *registry.Device) casework.Subject {
	return casework.Subject{
		Device: int64(d.ID), DeviceID: d.DeviceID, Company: d.Company, Host: d.SystemName, Model: d.Model, Serial: d.Serial, Personality: d.Personality,
		SWVersion: d.SWVersion, Site: d.Site, Contract: d.Contract, ContactName: d.ContactName, ContactEmail: d.ContactEmail,
	}
}

// AdvisoryImport tells what came of importing advisories.
type AdvisoryImport struct {
	Files    int      `json:"files"`
	Notices  int      `json:"notices"` // new, or changed
	Same     int      `json:"same"`
	Affected int      `json:"affected"` // devices newly affected, over all notices
	Faults   []string `json:"faults,omitempty"`

	Imported []advisory.Imported `json:"-"` // what became of each
}

// matchBatch is how many devices are held against a notice in one transaction.
const matchBatch = 500

// ImportAdvisories reads files and folders of advisories, keeps what is new, and holds all devices against it. Faults
// name file and place; of a file with faults nothing is taken.
func (s *Server) ImportAdvisories(ctx context.Context, paths []string, by account.Principal) (AdvisoryImport, error) {
	var out AdvisoryImport
	if err := account.Require(by, account.AdvisoryWrite, account.NoCompany); err != nil {
		return out, err
	}
	err := advisory.ReadPaths(paths, func(_ string, notices []advisory.Notice, faults []advisory.Fault) error {
		return s.importFile(ctx, notices, faults, by, &out)
	})
	return out, err
}

// ImportAdvisoryFile is ImportAdvisories for the bytes of one file.
func (s *Server) ImportAdvisoryFile(ctx context.Context, name string, file []byte, by account.Principal) (AdvisoryImport, error) {
	var out AdvisoryImport
	if err := account.Require(by, account.AdvisoryWrite, account.NoCompany); err != nil {
		return out, err
	}
	notices, faults := advisory.ReadFile(name, file)
	return out, s.importFile(ctx, notices, faults, by, &out)
}

// ImportNotices is ImportAdvisories for notices that were read already.
func (s *Server) ImportNotices(ctx context.Context, notices []advisory.Notice, by account.Principal) (AdvisoryImport, error) {
	var out AdvisoryImport
	if err := account.Require(by, account.AdvisoryWrite, account.NoCompany); err != nil {
		return out, err
	}
	return out, s.importFile(ctx, notices, nil, by, &out)
}

func (s *Server) importFile(ctx context.Context, notices []advisory.Notice, faults []advisory.Fault, by account.Principal, out *AdvisoryImport) error {
	out.Files++
	for _, f := range faults {
		out.Faults = append(out.Faults, f.Error())
	}
	if len(faults) > 0 {
		return nil
	}
	for i := range notices {
		if err := s.importAdvisory(ctx, &notices[i], by, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) importAdvisory(ctx context.Context, n *advisory.Notice, by account.Principal, out *AdvisoryImport) error {
	came, err := s.putAdvisory(ctx, "advisory.import", n.Ident, by, func(store advisory.Store) (advisory.Imported, error) {
		return advisory.Import(ctx, store, *n, s.now())
	})
	switch {
	case err != nil && callhome.KindOf(err) == callhome.KindUnavailable:
		return err
	case err != nil:
		out.Faults = append(out.Faults, fmt.Sprintf("%s: %v", n.Ident, err))
		return nil
	}
	out.Imported = append(out.Imported, came)
	if !came.Rematch {
		out.Same++
		return nil
	}
	out.Notices++
	n.ID = came.Notice.ID
	return s.matchEverywhere(ctx, n, out)
}

// WithdrawAdvisory marks a notice as withdrawn, and tells no device affected by it any more.
func (s *Server) WithdrawAdvisory(ctx context.Context, id int64, reason string, by account.Principal) (AdvisoryImport, error) {
	var out AdvisoryImport
	if err := account.Require(by, account.AdvisoryWrite, account.NoCompany); err != nil {
		return out, err
	}
	came, err := s.putAdvisory(ctx, "advisory.withdraw", fmt.Sprint(id), by, func(store advisory.Store) (advisory.Imported, error) {
		return advisory.Withdraw(ctx, store, id, reason, s.now())
	})
	if err != nil {
		return out, err
	}
	out.Imported = append(out.Imported, came)
	n, err := s.db.Read().Advisory().Notice(ctx, id)
	if err != nil {
		return out, err
	}
	return out, s.matchEverywhere(ctx, &n, &out)
}

func (s *Server) putAdvisory(ctx context.Context, action, ident string, by account.Principal, put func(advisory.Store) (advisory.Imported, error)) (came advisory.Imported, err error) {
	err = s.db.InTx(ctx, func(rooms Rooms) (err error) {
		if came, err = put(rooms.Advisory()); err != nil || !came.Rematch {
			return err
		}
		return account.Append(ctx, rooms.Account(), account.Entry{
			At: s.now(), Actor: by.Name, Action: action, Object: "advisory " + ident, Detail: map[string]any{"version": came.Notice.Version},
		})
	})
	return came, err
}

// ReviewDevice holds a device against all notices again.
func (s *Server) ReviewDevice(ctx context.Context, device int64) error {
	return s.db.InTx(ctx, func(rooms Rooms) error {
		events, err := advisory.Review(ctx, rooms.Advisory(), rooms.Inventory(), rooms.ConfigHistory(), device, s.now())
		if err != nil {
			return err
		}
		return s.tellAdvisories(ctx, rooms, events)
	})
}

// matchEverywhere holds all devices against a notice, batch by batch.
func (s *Server) matchEverywhere(ctx context.Context, n *advisory.Notice, out *AdvisoryImport) error {
	for after := int64(0); ; {
		var events []advisory.Event
		var next int64
		err := s.db.InTx(ctx, func(rooms Rooms) (err error) {
			if events, next, err = advisory.MatchBatch(ctx, rooms.Advisory(), rooms.Inventory(), rooms.ConfigHistory(), n, after, matchBatch, s.now()); err != nil {
				return err
			}
			return s.tellAdvisories(ctx, rooms, events)
		})
		if err != nil {
			return errors.Join(fmt.Errorf("match %s", n.Ident), err)
		}
		for _, e := range events {
			if e.Newly() {
				out.Affected++
			}
		}
		if next == 0 {
			return nil
		}
		after = next
	}
}
