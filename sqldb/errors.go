package sqldb

import (
	"errors"

	"callhome"

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

func primaryCode(err error) int {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// IsFull reports whether a write failed because the disk, or the quota, is full. The transaction is undone; the same
// write succeeds when there is room again.
func IsFull(err error) bool { return primaryCode(err) == codeFull }

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
