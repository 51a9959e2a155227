package sqlstore

import (
	"context"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

const contractColumns = "SELECT id, number, company_id, tier, from_at, until_at, name, warned_for, updated_at FROM contracts"

func scanContract(r scanner) (c registry.Contract, err error) {
	var from, until, warned, updated int64
	err = r.Scan(&c.ID, &c.Number, (*int64)(&c.Company), (*string)(&c.Tier), &from, &until, &c.Name, &warned, &updated)
	c.From, c.Until, c.WarnedFor, c.UpdatedAt = fromMicros(from), fromMicros(until), fromMicros(warned), fromMicros(updated)
	return c, err
}

// Contract is a contract by its number.
func (s registryStore) Contract(ctx context.Context, number string) (*registry.Contract, error) {
	c, err := scanContract(s.row(ctx, "registry_contract", key(number)))
	if err := one(err, "contract"); err != nil {
		return nil, err
	}
	return &c, s.terms(ctx, &c)
}

// terms reads what a contract covers and who may claim it.
func (s registryStore) terms(ctx context.Context, c *registry.Contract) error {
	rows, err := s.query(ctx, "registry_terms", c.ID)
	terms, err := collect(rows, err, func(r scanner) (t [2]string, err error) { return t, r.Scan(&t[0], &t[1]) })
	for _, t := range terms {
		switch kind, value := t[0], t[1]; kind {
		case string(registry.CoverSerial), string(registry.CoverProduct):
			c.Covers = append(c.Covers, registry.Cover{Kind: registry.CoverKind(kind), Value: value})
		default:
			c.Claims = append(c.Claims, registry.Claim{Kind: registry.ClaimKind(kind), Value: value})
		}
	}
	return err
}

// ContractsCovering are the contracts that name a serial number.
func (s registryStore) ContractsCovering(ctx context.Context, serial string) ([]registry.Contract, error) {
	rows, err := s.query(ctx, "registry_contracts_covering", key(serial))
	contracts, err := collect(rows, err, scanContract)
	for k := range contracts {
		if err == nil {
			err = s.terms(ctx, &contracts[k])
		}
	}
	return contracts, err
}

// PutContract stores a contract with exactly its covers and claims.
func (s registryStore) PutContract(ctx context.Context, c *registry.Contract) error {
	query, kind := "registry_put_contract", callhome.KindNotFound
	if c.ID == 0 {
		query, kind, c.ID = "registry_add_contract", callhome.KindConflict, s.NewID()
	}
	n, err := s.exec(ctx, query, c.ID, c.Number, key(c.Number), int64(c.Company), string(c.Tier), micros(c.From), micros(c.Until), c.Name, micros(c.WarnedFor),
		micros(c.UpdatedAt))
	if err := stored(n, err, kind, "contract %s: there is one already, or none any more", c.Number); err != nil {
		return err
	}
	if _, err := s.exec(ctx, "registry_drop_terms", c.ID); err != nil {
		return err
	}
	for _, cover := range c.Covers {
		if _, err := s.exec(ctx, "registry_add_term", c.ID, string(cover.Kind), key(cover.Value), cover.Value); err != nil {
			return err
		}
	}
	for _, claim := range c.Claims {
		if _, err := s.exec(ctx, "registry_add_term", c.ID, string(claim.Kind), key(claim.Value), claim.Value); err != nil {
			return err
		}
	}
	return nil
}

// DeleteContract removes a contract.
func (s registryStore) DeleteContract(ctx context.Context, id int64) error {
	if _, err := s.exec(ctx, "registry_drop_terms", id); err != nil {
		return err
	}
	n, err := s.exec(ctx, "registry_delete_contract", id)
	return stored(n, err, callhome.KindNotFound, "there is no contract %d", id)
}

// ListContracts is a page, newest first.
func (s registryStore) ListContracts(ctx context.Context, reach account.Reach, f registry.ContractFilter, p account.Page) ([]registry.Contract, error) {
	l := newListing(contractColumns)
	l.reach("company_id", reach)
	l.andText("number_key", key(f.Number))
	l.andText("tier", string(f.Tier))
	if !f.EndsBy.IsZero() {
		l.and("until_at > 0 AND until_at <= ?", micros(f.EndsBy))
	}
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanContract)
}

func (s registryStore) contracts(ctx context.Context, query string, t time.Time, limit int) ([]registry.Contract, error) {
	rows, err := s.query(ctx, query, micros(t), limit)
	return collect(rows, err, scanContract)
}

// ContractsEnding are contracts whose end was not warned of.
func (s registryStore) ContractsEnding(ctx context.Context, t time.Time, limit int) ([]registry.Contract, error) {
	return s.contracts(ctx, "registry_contracts_ending", t, limit)
}

// ContractsEnded are contracts whose end was not settled.
func (s registryStore) ContractsEnded(ctx context.Context, t time.Time, limit int) ([]registry.Contract, error) {
	return s.contracts(ctx, "registry_contracts_ended", t, limit)
}

// ContractsBegun are contracts whose beginning was not settled.
func (s registryStore) ContractsBegun(ctx context.Context, t time.Time, limit int) ([]registry.Contract, error) {
	return s.contracts(ctx, "registry_contracts_begun", t, limit)
}

// MarkContract notes what was done about a contract's dates.
func (s registryStore) MarkContract(ctx context.Context, id int64, mark registry.ContractMark) error {
	query := map[registry.ContractMark]string{
		registry.MarkWarned: "registry_mark_warned", registry.MarkBegun: "registry_mark_begun", registry.MarkEnded: "registry_mark_ended",
	}[mark]
	n, err := s.exec(ctx, query, id)
	return stored(n, err, callhome.KindNotFound, "there is no contract %d", id)
}

// CountContractDevices is how many devices a contract covers.
func (s registryStore) CountContractDevices(ctx context.Context, number string) (n int64, err error) {
	return n, s.row(ctx, "registry_count_contract_devices", key(number)).Scan(&n)
}

// AddRequest stores a request.
func (s registryStore) AddRequest(ctx context.Context, r *registry.Request) error {
	_, err := s.exec(ctx, "registry_add_request", r.Token, r.Code, int64(r.Device), r.To, micros(r.SentAt), micros(r.Until))
	return err
}

func scanRequest(r scanner) (q registry.Request, err error) {
	var sent, until int64
	err = r.Scan(&q.Token, &q.Code, (*int64)(&q.Device), &q.To, &sent, &until, &q.Failures)
	q.SentAt, q.Until = fromMicros(sent), fromMicros(until)
	return q, err
}

// Request is the request of a token's digest.
func (s registryStore) Request(ctx context.Context, token string) (*registry.Request, error) {
	q, err := scanRequest(s.row(ctx, "registry_request", token))
	return &q, one(err, "request")
}

// RequestsOf are a device's requests, newest first.
func (s registryStore) RequestsOf(ctx context.Context, d registry.ID) ([]registry.Request, error) {
	rows, err := s.query(ctx, "registry_requests_of", int64(d))
	return collect(rows, err, scanRequest)
}

// FailRequests counts a wrong code.
func (s registryStore) FailRequests(ctx context.Context, d registry.ID) error {
	_, err := s.exec(ctx, "registry_fail_requests", int64(d))
	return err
}

// DropRequests removes a device's requests.
func (s registryStore) DropRequests(ctx context.Context, d registry.ID) error {
	_, err := s.exec(ctx, "registry_drop_requests", int64(d))
	return err
}

// ForgetRequests removes requests that ended.
func (s registryStore) ForgetRequests(ctx context.Context, t time.Time, limit int) (int64, error) {
	return s.exec(ctx, "registry_forget_requests", micros(t), limit)
}

func scanSchedule(r scanner) (v registry.Schedule, err error) {
	var period, told, last, due, raised int64
	var arrivals string
	if err = r.Scan((*int64)(&v.Device), (*string)(&v.Group), &period, &told, &last, &due, &raised, &arrivals); err != nil {
		return v, err
	}
	v.Period, v.Told = time.Duration(period)*time.Microsecond, told != 0
	v.LastAt, v.DueAt, v.RaisedAt = fromMicros(last), fromMicros(due), fromMicros(raised)
	var times []int64
	err = fromJSON(arrivals, &times)
	for _, n := range times {
		v.Arrivals = append(v.Arrivals, fromMicros(n))
	}
	return v, err
}

// Schedules are the schedules of a device.
func (s registryStore) Schedules(ctx context.Context, d registry.ID) ([]registry.Schedule, error) {
	rows, err := s.query(ctx, "registry_schedules", int64(d))
	return collect(rows, err, scanSchedule)
}

// Schedule is a device's schedule of one group.
func (s registryStore) Schedule(ctx context.Context, d registry.ID, g callhome.AlertGroup) (*registry.Schedule, error) {
	v, err := scanSchedule(s.row(ctx, "registry_schedule", int64(d), string(g)))
	return &v, one(err, "schedule")
}

// PutSchedule stores a schedule.
func (s registryStore) PutSchedule(ctx context.Context, v *registry.Schedule) error {
	times := make([]int64, len(v.Arrivals))
	for k, t := range v.Arrivals {
		times[k] = micros(t)
	}
	arrivals, err := jsonText(times)
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, "registry_put_schedule", int64(v.Device), string(v.Group), v.Period.Microseconds(), flag(v.Told), micros(v.LastAt), micros(v.DueAt),
		micros(v.RaisedAt), arrivals)
	return err
}

// DueSchedules are schedules not raised yet that are due.
func (s registryStore) DueSchedules(ctx context.Context, t time.Time, limit int) ([]registry.Schedule, error) {
	rows, err := s.query(ctx, "registry_due_schedules", micros(t), limit)
	return collect(rows, err, scanSchedule)
}

// RaiseSchedule marks a schedule as raised.
func (s registryStore) RaiseSchedule(ctx context.Context, v *registry.Schedule, t time.Time) (bool, error) {
	n, err := s.exec(ctx, "registry_raise_schedule", int64(v.Device), string(v.Group), micros(v.DueAt), micros(t))
	return n > 0, err
}

// DueDevices are devices that are due to say anything.
func (s registryStore) DueDevices(ctx context.Context, t time.Time, limit int) ([]registry.Device, error) {
	rows, err := s.query(ctx, "registry_due_devices", micros(t), limit)
	return collect(rows, err, scanDevice)
}

// WatchDevice sets when a device is due and when its silence was raised.
func (s registryStore) WatchDevice(ctx context.Context, d registry.ID, due, raised time.Time) (bool, error) {
	n, err := s.exec(ctx, "registry_watch", int64(d), micros(due), micros(raised))
	return n > 0, err
}
