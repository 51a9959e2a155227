package sqldb

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"callhome"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// Result codes of SQLite (sqlite.org, "Result and Error Codes"); the low eight bits are the primary code.
const (
	codeBusy     = 5
	codeLocked   = 6
	codeNoMem    = 7
	codeReadOnly = 8
	codeIOErr    = 10
	codeCorrupt  = 11
	codeFull     = 13
	codeCantOpen = 14
	codeNotADB   = 26
)

// Extended result codes of a broken uniqueness: SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE, _ROWID.
const (
	codePrimaryKey = 1555
	codeUnique     = 2067
	codeRowID      = 2579
)

// Classes and codes of PostgreSQL (manual, appendix A, "PostgreSQL Error Codes").
const (
	stateUnique        = "23505"
	stateSerialization = "40001"
	stateDeadlock      = "40P01"
	stateDiskFull      = "53100"
	classConnection    = "08"
	classResources     = "53"
	classIntervention  = "57"
	classSystem        = "58"
)

// sqlState is PostgreSQL's code of an error, "" for others.
func sqlState(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// IsConflict reports whether a transaction was undone because of another one; the same transaction may succeed at once.
func IsConflict(err error) bool {
	state := sqlState(err)
	return state == stateSerialization || state == stateDeadlock
}

// IsDuplicate reports whether a row was refused because another one has its key.
func IsDuplicate(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		code := e.Code()
		return code == codePrimaryKey || code == codeUnique || code == codeRowID
	}
	return sqlState(err) == stateUnique
}

// isUnreachable reports whether PostgreSQL could not be reached, or went away.
func isUnreachable(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}

func primaryCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// IsFull reports whether a write failed because the disk, or the quota, is full. The transaction is undone; the same
// write succeeds when there is room again.
func IsFull(err error) bool { return primaryCode(err) == codeFull || sqlState(err) == stateDiskFull }

// IsDamaged reports whether the file is not what SQLite wrote.
func IsDamaged(err error) bool {
	if errors.Is(err, errTruncated) {
		return true
	}
	code := primaryCode(err)
	return code == codeCorrupt || code == codeNotADB
}

// Classify gives err a kind: Unavailable for what is the disk's or another process's fault and may pass (full, I/O
// error, busy, read-only, damaged), Internal for what is wrong with the statement. A nil error stays nil.
func Classify(err error) error {
	if err == nil {
		return nil
	}
	if state := sqlState(err); state != "" {
		return classifyState(err, state)
	}
	if isUnreachable(err) {
		return &callhome.Error{Kind: callhome.KindUnavailable, Msg: "the database cannot be reached", Err: err}
	}
	switch primaryCode(err) {
	case codeFull:
		return &callhome.Error{Kind: callhome.KindUnavailable, Msg: "the disk is full; make room", Err: err}
	case codeBusy, codeLocked, codeNoMem, codeReadOnly, codeIOErr, codeCantOpen:
		return &callhome.Error{Kind: callhome.KindUnavailable, Err: err}
	case codeCorrupt, codeNotADB:
		return &callhome.Error{Kind: callhome.KindUnavailable, Msg: "the database is damaged; restart to set it aside and save what can be read", Err: err}
	}
	return err
}

func classifyState(err error, state string) error {
	switch {
	case state == stateDiskFull:
		return &callhome.Error{Kind: callhome.KindUnavailable, Msg: "the disk of the database server is full; make room", Err: err}
	case state == stateSerialization, state == stateDeadlock, strings.HasPrefix(state, classConnection), strings.HasPrefix(state, classResources),
		strings.HasPrefix(state, classIntervention), strings.HasPrefix(state, classSystem):
		return &callhome.Error{Kind: callhome.KindUnavailable, Err: err}
	}
	return err
}
