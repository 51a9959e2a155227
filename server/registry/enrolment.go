package registry

import (
	"context"
	"time"

	"callhome"
	"callhome/enrol"
	"callhome/server/account"
)

// Lifetimes of enrolment.
const (
	// DefaultTokenLifetime is how long a one-time token waits to be used.
	DefaultTokenLifetime = 7 * day
	maxTokenLifetime     = 365 * day
	certLifetime         = 90 * day // short enough that a lost machine's certificate ends by itself
	renewAfter           = 60 * day // leaves a month to renew in
	// missedBeats heartbeats make an agent or gateway unwell.
	missedBeats = 2
)

// Enrolment is an agent or gateway of ours that joined.
type Enrolment struct {
	ID        EnrolmentID       `json:"id"`
	Kind      enrol.Kind        `json:"kind"`
	Company   account.CompanyID `json:"company,omitempty"`
	Name      string            `json:"name"` // unique in its company and kind
	JoinedAt  time.Time         `json:"joined_at"`
	RevokedAt time.Time         `json:"revoked_at,omitzero"`
	Reason    string            `json:"reason,omitempty"` // of the revocation
	By        account.UserID    `json:"by,omitempty"`     // who made its token
	Claims    enrol.Identity    `json:"claims,omitzero"`  // what it says of itself; no proof
	Until     time.Time         `json:"until,omitzero"`   // end of its newest certificate
	Beat      Beat              `json:"heartbeat,omitzero"`
}

// Beat is the latest heartbeat of an agent or gateway: apart from the silence of devices.
type Beat struct {
	At           time.Time   `json:"at,omitzero"` // when it came; zero: never
	Version      string      `json:"version,omitempty"`
	ConfigDigest string      `json:"config_digest,omitempty"`
	StartedAt    time.Time   `json:"started_at,omitzero"`
	Queue        enrol.Queue `json:"queue,omitzero"`
	Devices      int         `json:"devices,omitempty"`
	Unwell       []string    `json:"unwell,omitempty"`
	Skew         int64       `json:"skew_seconds,omitempty"` // of its clock; positive: ahead
	Address      string      `json:"address,omitempty"`
}

// Late reports whether heartbeats are missing at t.
func (e *Enrolment) Late(t time.Time) bool {
	since := e.Beat.At
	if since.IsZero() {
		since = e.JoinedAt
	}
	return e.RevokedAt.IsZero() && t.Sub(since) > missedBeats*enrol.HeartbeatEvery
}

// Late finds agents and gateways whose heartbeats are missing. Each is given once, to one of several processes, until its
// next heartbeat. It is called until done.
func (r *Registrar) Late(ctx context.Context, s Enrolments, limit int) (late []Enrolment, done bool, err error) {
	now := r.now()
	all, err := s.LateEnrolments(ctx, now.Add(-missedBeats*enrol.HeartbeatEvery), limit)
	if err != nil {
		return nil, false, err
	}
	for _, e := range all {
		won, err := s.RaiseLate(ctx, e.ID, now)
		if err != nil {
			return nil, false, err
		}
		if won {
			late = append(late, e)
		}
	}
	return late, len(all) < limit, nil
}

// JoinToken is a one-time token for one agent or gateway. The token itself is shown once, when it is made.
type JoinToken struct {
	Digest    string            `json:"-"`      // SHA-256, hex
	Prefix    string            `json:"prefix"` // its first characters, to recognise it by
	Kind      enrol.Kind        `json:"kind"`
	Company   account.CompanyID `json:"company,omitempty"`
	Name      string            `json:"name,omitempty"` // that the holder gets; none: the one it asks for
	MadeBy    account.UserID    `json:"made_by,omitempty"`
	MadeAt    time.Time         `json:"made_at"`
	Until     time.Time         `json:"until"`
	UsedAt    time.Time         `json:"used_at,omitzero"`
	KeyDigest string            `json:"-"` // SHA-256 of the public key that used it
	Enrolment EnrolmentID       `json:"enrolment,omitempty"`
	ID        int64             `json:"id"`
}

// Certificate is a client certificate that was granted.
type Certificate struct {
	Fingerprint string // enrol.FingerprintOf
	Enrolment   EnrolmentID
	Serial      string
	KeyDigest   string
	IssuedAt    time.Time
	Until       time.Time
	RevokedAt   time.Time
	Grant       string // enrol.Grant as JSON, to answer again
}

// EnrolmentFilter chooses agents and gateways; empty fields choose all.
type EnrolmentFilter struct {
	Kind    enrol.Kind
	Name    string
	Revoked bool // those too
}

// Enrolments keeps agents and gateways.
type Enrolments interface {
	// AddJoinToken stores a token and sets its ID.
	AddJoinToken(ctx context.Context, t *JoinToken) error
	// JoinToken is the token of a digest, locked against others until the transaction ends.
	JoinToken(ctx context.Context, digest string) (*JoinToken, error)
	// UseJoinToken notes when, with which key and for whom a token was used; KindConflict when it was used meanwhile.
	UseJoinToken(ctx context.Context, t *JoinToken) error
	// ListJoinTokens is a page, newest first.
	ListJoinTokens(ctx context.Context, reach account.Reach, p account.Page) ([]JoinToken, error)
	// DeleteJoinToken removes a token.
	DeleteJoinToken(ctx context.Context, reach account.Reach, id int64) error

	// AddEnrolment stores a new agent or gateway and sets its ID.
	AddEnrolment(ctx context.Context, e *Enrolment) error
	// Enrolment is an agent or gateway by its ID.
	Enrolment(ctx context.Context, id EnrolmentID) (*Enrolment, error)
	// EnrolmentByName is one that is not revoked, by company, kind and name.
	EnrolmentByName(ctx context.Context, c account.CompanyID, k enrol.Kind, name string) (*Enrolment, error)
	// EnrolmentByFingerprint is the one that a certificate was granted to, revoked or not.
	EnrolmentByFingerprint(ctx context.Context, fingerprint string) (*Enrolment, error)
	// ListEnrolments is a page, newest first.
	ListEnrolments(ctx context.Context, reach account.Reach, f EnrolmentFilter, p account.Page) ([]Enrolment, error)
	// RevokeEnrolment stores that it and all its certificates are revoked.
	RevokeEnrolment(ctx context.Context, id EnrolmentID, at time.Time, reason string) error
	// PutBeat stores the latest heartbeat.
	PutBeat(ctx context.Context, id EnrolmentID, b *Beat) error
	// LateEnrolments are those not revoked nor raised as late that were last heard before t, longest silent first.
	LateEnrolments(ctx context.Context, t time.Time, limit int) ([]Enrolment, error)
	// RaiseLate marks one as raised at t, until its next heartbeat; false when another process did so before.
	RaiseLate(ctx context.Context, id EnrolmentID, t time.Time) (bool, error)
	// Drift counts agents and gateways not revoked by kind, version and configuration.
	Drift(ctx context.Context, reach account.Reach) ([]DriftRow, error)

	// AddCertificate stores a granted certificate, and its end with the enrolment.
	AddCertificate(ctx context.Context, c *Certificate) error
	// CertificateByFingerprint is a certificate that was granted.
	CertificateByFingerprint(ctx context.Context, fingerprint string) (*Certificate, error)
	// CertificateByKey is the newest certificate of an enrolment for a public key.
	CertificateByKey(ctx context.Context, e EnrolmentID, keyDigest string) (*Certificate, error)
}

// DriftRow is how many agents or gateways run a version with a configuration.
type DriftRow struct {
	Kind         enrol.Kind `json:"kind"`
	Version      string     `json:"version,omitempty"`
	ConfigDigest string     `json:"config_digest,omitempty"`
	N            int64      `json:"n"`
	Newest       time.Time  `json:"newest,omitzero"` // heartbeat among them
}

// DriftView tells which versions and configurations agents and gateways run, and which of them are the common ones.
type DriftView struct {
	Rows []DriftRow `json:"rows"` // most frequent first within a kind
	// Versions and Configurations are how many different ones there are of each kind; 1 is no drift.
	Versions       map[enrol.Kind]int `json:"versions"`
	Configurations map[enrol.Kind]int `json:"configurations"`
}

// ViewDrift counts what runs where.
func ViewDrift(ctx context.Context, s Enrolments, reach account.Reach) (*DriftView, error) {
	rows, err := s.Drift(ctx, reach)
	if err != nil {
		return nil, err
	}
	v := &DriftView{Rows: rows, Versions: map[enrol.Kind]int{}, Configurations: map[enrol.Kind]int{}}
	seen := map[string]bool{}
	for _, row := range rows {
		if key := "v" + string(row.Kind) + row.Version; row.Version != "" && !seen[key] {
			seen[key] = true
			v.Versions[row.Kind]++
		}
		if key := "c" + string(row.Kind) + row.ConfigDigest; row.ConfigDigest != "" && !seen[key] {
			seen[key] = true
			v.Configurations[row.Kind]++
		}
	}
	return v, nil
}

// JoinOrder is what a new one-time token is for.
type JoinOrder struct {
	Kind     enrol.Kind
	Company  account.CompanyID
	Name     string        // none: the holder chooses
	Lifetime time.Duration // 0: DefaultTokenLifetime
	By       account.Principal
}

// joinPrefix makes our tokens known to who finds one: people, and scanners for secrets.
const joinPrefix = "chj_"

// NewJoinToken makes a one-time token; the secret is in the answer only.
func (r *Registrar) NewJoinToken(ctx context.Context, s Enrolments, o JoinOrder) (*JoinToken, callhome.Secret, error) {
	var none callhome.Secret
	if o.Kind != enrol.KindAgent && o.Kind != enrol.KindGateway {
		return nil, none, callhome.Errorf(callhome.KindInvalid, "kind %q is not agent or gateway", o.Kind)
	}
	if o.Lifetime == 0 {
		o.Lifetime = DefaultTokenLifetime
	}
	if o.Lifetime < 0 || o.Lifetime > maxTokenLifetime || len(o.Name) > 64 || o.Name != "" && !plainWord(o.Name) {
		return nil, none, callhome.Errorf(callhome.KindInvalid, "a token lives at most a year, and a name has at most 64 printable characters")
	}
	secret := joinPrefix + newToken()
	now := r.now()
	t := &JoinToken{
		Digest: digest(secret), Prefix: secret[:len(joinPrefix)+6], Kind: o.Kind, Company: o.Company, Name: o.Name, MadeBy: o.By.User, MadeAt: now,
		Until: now.Add(o.Lifetime),
	}
	return t, callhome.NewSecret(secret), s.AddJoinToken(ctx, t)
}
