// Package api is the REST face of the back end, under /api/v1: it signs callers in by bearer token or session cookie,
// holds each request against the authorization table and the caller's reach, asks the rooms, and writes what was changed
// to the audit log in the same transaction. It owns the addresses, the shapes of requests and answers (openapi.json is
// made of them), lists with cursors, exports as CSV and NDJSON, the stream of events, problems (RFC 9457), and the limits
// that keep one caller from hurting others. It decides nothing that a room decides and keeps no records of its own but
// the answers of repeated requests.
//
// The road of a request:
//
//	guard ▸ who is it ▸ rate ▸ may they at all ▸ parameters and body ▸ room, within reach ▸ audit log ▸ answer
//
// A record beyond the caller's reach is not found: that it exists is not told.
package api
