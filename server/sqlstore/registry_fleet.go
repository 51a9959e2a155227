package sqlstore

import (
	"context"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/server/account"
	"callhome/server/registry"
)

const (
	enrolmentColumns = "SELECT id, kind, company_id, name, joined_at, revoked_at, reason, by_user, claims, until_at, beat FROM enrolments"
	joinTokenColumns = "SELECT id, digest, prefix, kind, company_id, name, made_by, made_at, until_at, used_at, key_digest, enrolment FROM join_tokens" //nolint:gosec // names of columns
)

// AddJoinToken stores a token.
func (s registryStore) AddJoinToken(ctx context.Context, t *registry.JoinToken) error {
	t.ID = s.NewID()
	_, err := s.exec(ctx, "fleet_add_join_token", t.ID, t.Digest, t.Prefix, string(t.Kind), int64(t.Company), t.Name, int64(t.MadeBy), micros(t.MadeAt), micros(t.Until))
	return err
}

func scanJoinToken(r scanner) (t registry.JoinToken, err error) {
	var made, until, used int64
	err = r.Scan(&t.ID, &t.Digest, &t.Prefix, (*string)(&t.Kind), (*int64)(&t.Company), &t.Name, (*int64)(&t.MadeBy), &made, &until, &used, &t.KeyDigest,
		(*int64)(&t.Enrolment))
	t.MadeAt, t.Until, t.UsedAt = fromMicros(made), fromMicros(until), fromMicros(used)
	return t, err
}

// JoinToken is the token of a digest, locked.
func (s registryStore) JoinToken(ctx context.Context, digest string) (*registry.JoinToken, error) {
	t, err := scanJoinToken(s.row(ctx, "fleet_join_token", digest))
	return &t, one(err, "token")
}

// UseJoinToken notes when, with which key and for whom a token was used.
func (s registryStore) UseJoinToken(ctx context.Context, t *registry.JoinToken) error {
	n, err := s.exec(ctx, "fleet_use_join_token", t.ID, micros(t.UsedAt), t.KeyDigest, int64(t.Enrolment))
	return stored(n, err, callhome.KindConflict, "the token was used at the same time")
}

// ListJoinTokens is a page, newest first.
func (s registryStore) ListJoinTokens(ctx context.Context, reach account.Reach, p account.Page) ([]registry.JoinToken, error) {
	l := newListing(joinTokenColumns)
	l.reach("company_id", reach)
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanJoinToken)
}

// DeleteJoinToken removes a token.
func (s registryStore) DeleteJoinToken(ctx context.Context, reach account.Reach, id int64) error {
	var company account.CompanyID
	err := one(s.row(ctx, "fleet_join_token_company", id).Scan((*int64)(&company)), "token")
	if err == nil && !reach.Has(company) {
		err = callhome.Errorf(callhome.KindNotFound, "there is no such token")
	}
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, "fleet_delete_join_token", id)
	return err
}

// AddEnrolment stores a new agent or gateway.
func (s registryStore) AddEnrolment(ctx context.Context, e *registry.Enrolment) error {
	claims, err := jsonText(e.Claims)
	if err != nil {
		return err
	}
	e.ID = registry.EnrolmentID(s.NewID())
	_, err = s.exec(ctx, "fleet_add_enrolment", int64(e.ID), string(e.Kind), int64(e.Company), e.Name, key(e.Name), micros(e.JoinedAt), int64(e.By), claims)
	return err
}

func scanEnrolment(r scanner) (e registry.Enrolment, err error) {
	var joined, revoked, until int64
	var claims, beat string
	err = r.Scan((*int64)(&e.ID), (*string)(&e.Kind), (*int64)(&e.Company), &e.Name, &joined, &revoked, &e.Reason, (*int64)(&e.By), &claims, &until, &beat)
	if err != nil {
		return e, err
	}
	e.JoinedAt, e.RevokedAt, e.Until = fromMicros(joined), fromMicros(revoked), fromMicros(until)
	if err := fromJSON(claims, &e.Claims); err != nil {
		return e, err
	}
	return e, fromJSON(beat, &e.Beat)
}

// Enrolment is an agent or gateway by its ID.
func (s registryStore) Enrolment(ctx context.Context, id registry.EnrolmentID) (*registry.Enrolment, error) {
	e, err := scanEnrolment(s.row(ctx, "fleet_enrolment", int64(id)))
	return &e, one(err, "agent or gateway")
}

// EnrolmentByName is one that is not revoked.
func (s registryStore) EnrolmentByName(ctx context.Context, c account.CompanyID, k enrol.Kind, name string) (*registry.Enrolment, error) {
	e, err := scanEnrolment(s.row(ctx, "fleet_enrolment_by_name", int64(c), string(k), key(name)))
	return &e, one(err, "agent or gateway")
}

// EnrolmentByFingerprint is the one that a certificate was granted to.
func (s registryStore) EnrolmentByFingerprint(ctx context.Context, fingerprint string) (*registry.Enrolment, error) {
	e, err := scanEnrolment(s.row(ctx, "fleet_enrolment_by_fingerprint", fingerprint))
	return &e, one(err, "agent or gateway")
}

// ListEnrolments is a page, newest first.
func (s registryStore) ListEnrolments(ctx context.Context, reach account.Reach, f registry.EnrolmentFilter, p account.Page) ([]registry.Enrolment, error) {
	l := newListing(enrolmentColumns)
	l.reach("company_id", reach)
	l.andText("kind", string(f.Kind))
	l.andText("name_key", key(f.Name))
	if !f.Revoked {
		l.and("revoked_at = 0")
	}
	l.page("id", p)
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, scanEnrolment)
}

// RevokeEnrolment stores that it and all its certificates are revoked.
func (s registryStore) RevokeEnrolment(ctx context.Context, id registry.EnrolmentID, at time.Time, reason string) error {
	n, err := s.exec(ctx, "fleet_revoke", int64(id), micros(at), reason)
	if err := stored(n, err, callhome.KindNotFound, "there is no agent or gateway %d that is not revoked", id); err != nil {
		return err
	}
	_, err = s.exec(ctx, "fleet_revoke_certificates", int64(id), micros(at))
	return err
}

// PutBeat stores the latest heartbeat.
func (s registryStore) PutBeat(ctx context.Context, id registry.EnrolmentID, b *registry.Beat) error {
	beat, err := jsonText(b)
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, "fleet_put_beat", int64(id), micros(b.At), b.Version, b.ConfigDigest, beat)
	return stored(n, err, callhome.KindNotFound, "there is no agent or gateway %d", id)
}

// LateEnrolments are those whose heartbeats are missing.
func (s registryStore) LateEnrolments(ctx context.Context, t time.Time, limit int) ([]registry.Enrolment, error) {
	rows, err := s.query(ctx, "fleet_late", micros(t), limit)
	return collect(rows, err, scanEnrolment)
}

// RaiseLate marks one as raised.
func (s registryStore) RaiseLate(ctx context.Context, id registry.EnrolmentID, t time.Time) (bool, error) {
	n, err := s.exec(ctx, "fleet_raise_late", int64(id), micros(t))
	return n > 0, err
}

// Drift counts agents and gateways by kind, version and configuration.
func (s registryStore) Drift(ctx context.Context, reach account.Reach) ([]registry.DriftRow, error) {
	l := newListing("SELECT kind, version, config_digest, COUNT(*) AS n, MAX(heard_at) FROM enrolments")
	l.and("revoked_at = 0")
	l.reach("company_id", reach)
	l.add(" GROUP BY kind, version, config_digest ORDER BY kind, n DESC, version, config_digest")
	rows, err := s.ask(ctx, l.text(), l.args...)
	return collect(rows, err, func(r scanner) (v registry.DriftRow, err error) {
		var newest int64
		err = r.Scan((*string)(&v.Kind), &v.Version, &v.ConfigDigest, &v.N, &newest)
		v.Newest = fromMicros(newest)
		return v, err
	})
}

// AddCertificate stores a granted certificate.
func (s registryStore) AddCertificate(ctx context.Context, c *registry.Certificate) error {
	if _, err := s.exec(ctx, "fleet_add_certificate", c.Fingerprint, int64(c.Enrolment), c.Serial, c.KeyDigest, micros(c.IssuedAt), micros(c.Until), c.Grant); err != nil {
		return err
	}
	_, err := s.exec(ctx, "fleet_set_until", int64(c.Enrolment), micros(c.Until))
	return err
}

func scanCertificate(r scanner) (c registry.Certificate, err error) {
	var issued, until, revoked int64
	err = r.Scan(&c.Fingerprint, (*int64)(&c.Enrolment), &c.Serial, &c.KeyDigest, &issued, &until, &revoked, &c.Grant)
	c.IssuedAt, c.Until, c.RevokedAt = fromMicros(issued), fromMicros(until), fromMicros(revoked)
	return c, err
}

// CertificateByFingerprint is a certificate that was granted.
func (s registryStore) CertificateByFingerprint(ctx context.Context, fingerprint string) (*registry.Certificate, error) {
	c, err := scanCertificate(s.row(ctx, "fleet_certificate", fingerprint))
	return &c, one(err, "certificate")
}

// CertificateByKey is the newest certificate of an enrolment for a public key.
func (s registryStore) CertificateByKey(ctx context.Context, e registry.EnrolmentID, keyDigest string) (*registry.Certificate, error) {
	c, err := scanCertificate(s.row(ctx, "fleet_certificate_by_key", int64(e), keyDigest))
	return &c, one(err, "certificate")
}
