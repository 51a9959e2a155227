package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"callhome/server/account"

	"github.com/danielgtaylor/huma/v2"
)

// AuditEntry is one line of the audit log.
type AuditEntry struct {
	Seq     int64     `json:"seq"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Action  string    `json:"action"`
	Object  string    `json:"object"`
	Company ID        `json:"company,omitempty"`
	Detail  Object    `json:"detail,omitempty"`
	Prev    string    `json:"prev" doc:"Hash of the entry before"`
	Hash    string    `json:"hash"`
}

// Object is a JSON object of free form.
type Object json.RawMessage

// MarshalJSON writes the object as it is.
func (o Object) MarshalJSON() ([]byte, error) {
	if len(o) == 0 {
		return []byte("null"), nil
	}
	return o, nil
}

// Schema says that anything may be in it.
func (Object) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "object", AdditionalProperties: true}
}

type auditInput struct {
	Paging
	Actor  string    `query:"actor" maxLength:"256"`
	Action string    `query:"action" maxLength:"64" doc:"Or the beginning of one, up to a dot"`
	Since  time.Time `query:"since"`
}

type verdictOutput struct{ Body account.Verdict }

// verifyTime bounds a walk over the whole log: some ten million entries.
const verifyTime = 10 * time.Minute

func addAudit(a *API) {
	addList[auditInput](a, listing[auditInput, AuditEntry]{
		Route: listRoute("/audit", account.AuditRead, "List the audit log"),
		key:   func(e *AuditEntry) int64 { return e.Seq },
		page: func(ctx context.Context, q *query, in *auditInput, p account.Page) ([]AuditEntry, error) {
			list, err := q.Account().ListAudit(ctx, q.Reach(), account.AuditFilter{Actor: in.Actor, Action: in.Action, Since: in.Since}, p)
			return mapped(list, auditOf), err
		},
	})
	add(a, Route{Method: http.MethodGet, Path: "/audit/verify", Action: account.AuditRead, Summary: "Check the chain of the whole audit log; for operators"}, a.verifyAudit)
}

func auditOf(e *account.Entry) AuditEntry {
	return AuditEntry{
		Seq: e.Seq, At: e.At, Actor: e.Actor, Action: e.Action, Object: e.Object, Company: ID(e.Company), Detail: Object(e.Text), Prev: e.Prev, Hash: e.Hash,
	}
}

func (a *API) verifyAudit(ctx context.Context, c *caller, _ *nothing) (*verdictOutput, error) {
	if err := account.Require(c.Principal, account.AuditRead, account.NoCompany); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, verifyTime)
	defer cancel()
	v, err := account.Verify(ctx, a.backend.Read().Account(), nil, nil)
	if err != nil {
		return nil, err
	}
	return &verdictOutput{Body: *v}, nil
}
