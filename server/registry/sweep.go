package registry

import (
	"context"
	"time"

	"callhome"
)

// Sweep does what the passing of time asks for, at most limit contracts of each kind: warnings of contracts that end
// within 30 days, once for each end; devices of contracts that ended or began. It is called until done. Repeating it does
// no harm.
func (r *Registrar) Sweep(ctx context.Context, s Store, limit int) (notices []Notice, done bool, err error) {
	now := r.now()
	warn, err := s.ContractsEnding(ctx, now.Add(expiryWarning), limit)
	if err != nil {
		return nil, false, err
	}
	for k := range warn {
		n, err := r.warn(ctx, s, &warn[k], now)
		if err != nil {
			return nil, false, err
		}
		notices = append(notices, n...)
	}
	settled := 0
	for _, turn := range []struct {
		find func(context.Context, time.Time, int) ([]Contract, error)
		mark ContractMark
	}{{s.ContractsBegun, MarkBegun}, {s.ContractsEnded, MarkEnded}} {
		contracts, err := turn.find(ctx, now, limit)
		if err != nil {
			return nil, false, err
		}
		settled += len(contracts)
		for k := range contracts {
			n, err := r.turn(ctx, s, &contracts[k], turn.mark)
			if err != nil {
				return nil, false, err
			}
			notices = append(notices, n...)
		}
	}
	forgotten, err := s.ForgetRequests(ctx, now, limit)
	return notices, len(warn) < limit && settled < limit && int(forgotten) < limit, err
}

// warn tells a company that a contract ends.
func (r *Registrar) warn(ctx context.Context, s Store, c *Contract, now time.Time) ([]Notice, error) {
	if err := s.MarkContract(ctx, c.ID, MarkWarned); err != nil {
		return nil, err
	}
	if !now.Before(c.Until) { // too late to warn: the end itself is told
		return nil, nil
	}
	n, err := s.CountContractDevices(ctx, c.Number)
	if err != nil {
		return nil, err
	}
	return []Notice{{Kind: NoticeRegistrationExpiring, Company: c.Company, Contract: c.Number, Until: c.Until, Devices: n}}, nil
}

// turn settles the devices of a contract that began or ended.
func (r *Registrar) turn(ctx context.Context, s Store, c *Contract, mark ContractMark) ([]Notice, error) {
	n, err := r.Recover(ctx, s, c.Number)
	if err != nil {
		return nil, err
	}
	if err := s.MarkContract(ctx, c.ID, mark); err != nil {
		return nil, err
	}
	if mark != MarkEnded {
		return nil, nil
	}
	return []Notice{{Kind: NoticeRegistrationExpired, Company: c.Company, Contract: c.Number, Until: c.Until, Devices: n}}, nil
}

// recoverPage is how many devices are settled at a time.
const recoverPage = 500

// Recover lets the contracts decide anew about all devices that name a contract or are covered by it, after it changed.
// It gives how many devices changed.
func (r *Registrar) Recover(ctx context.Context, s Store, number string) (changed int64, err error) {
	at := r.now()
	for after := ID(0); ; {
		devices, err := s.DevicesOfContract(ctx, number, after, recoverPage)
		if err != nil {
			return changed, err
		}
		for k := range devices {
			d := &devices[k]
			after = d.ID
			was := *d
			if err := r.recover(ctx, s, d, at); err != nil {
				return changed, err
			}
			if *d == was {
				continue
			}
			changed++
			if err := s.PutDevice(ctx, d); err != nil {
				return changed, err
			}
		}
		if len(devices) < recoverPage {
			return changed, nil
		}
	}
}

// Silent finds devices that should have spoken by now and did not: two periods of a known schedule, 35 days without one.
// Each silence is given once, to one of several processes, until the device speaks again. It is called until done.
func (r *Registrar) Silent(ctx context.Context, s Store, now time.Time, limit int) (silent []Silence, done bool, err error) {
	due, err := s.DueSchedules(ctx, now, limit)
	if err != nil {
		return nil, false, err
	}
	for k := range due {
		sched := &due[k]
		won, err := s.RaiseSchedule(ctx, sched, now)
		if err != nil {
			return nil, false, err
		}
		d, err := s.Device(ctx, sched.Device)
		if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
			return nil, false, err
		}
		if won && err == nil && d.watched() {
			silent = append(silent, Silence{Device: *d, Group: sched.Group, Period: sched.Period, LastAt: sched.LastAt, DueAt: sched.DueAt})
		}
	}
	devices, err := s.DueDevices(ctx, now, limit)
	if err != nil {
		return nil, false, err
	}
	for k := range devices {
		one, err := r.silentDevice(ctx, s, &devices[k], now)
		if err != nil {
			return nil, false, err
		}
		silent = append(silent, one...)
	}
	return silent, len(due) < limit && len(devices) < limit, nil
}

// watched reports whether the device's silence is anyone's business.
func (d *Device) watched() bool { return d.State != StateRejected && d.State != StateSuspended }

// silentDevice raises the silence of a device, unless it was heard meanwhile: its due time is only looked after here, so
// that hearing a device costs no change of an index.
func (r *Registrar) silentDevice(ctx context.Context, s Store, d *Device, now time.Time) ([]Silence, error) {
	due := d.LastSeen.Add(silentAfter)
	if due.After(now) || !d.watched() {
		if !due.After(now) {
			due = now.Add(silentAfter)
		}
		_, err := s.WatchDevice(ctx, d.ID, due, time.Time{})
		return nil, err
	}
	schedules, err := s.Schedules(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	for _, sched := range schedules {
		if !sched.RaisedAt.IsZero() { // told already, by its schedule
			_, err := s.WatchDevice(ctx, d.ID, now.Add(silentAfter), time.Time{})
			return nil, err
		}
	}
	won, err := s.WatchDevice(ctx, d.ID, time.Time{}, now)
	if err != nil || !won {
		return nil, err
	}
	d.SilentSince = now
	return []Silence{{Device: *d, LastAt: d.LastSeen, DueAt: due}}, nil
}

// TellSchedule sets the period of a device's messages of one group, as its own agent knows it; 0 takes it away.
func (r *Registrar) TellSchedule(ctx context.Context, s Store, id ID, g callhome.AlertGroup, period time.Duration) error {
	sched, err := s.Schedule(ctx, id, g)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return err
	}
	if err != nil {
		sched = &Schedule{Device: id, Group: g, LastAt: r.now()}
	}
	if sched.Period == period && sched.Told {
		return nil
	}
	sched.Tell(period)
	return s.PutSchedule(ctx, sched)
}
