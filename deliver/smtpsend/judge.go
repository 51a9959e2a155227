package smtpsend

import (
	"context"
	"errors"
	"slices"
)

// verdict is what an attempt tells about server and mail.
type verdict string

const (
	verdictSent      verdict = "sent"
	verdictRefused   verdict = "refused"   // the mail is not wanted, by anyone
	verdictPolicy    verdict = "policy"    // this server does not want it; another may
	verdictLater     verdict = "later"     // this server does not want it now
	verdictServer    verdict = "server"    // the server is not fit for any mail
	verdictUncertain verdict = "uncertain" // the mail was sent, the reply did not come: nobody else is asked now, it may be there twice
	verdictAborted   verdict = "aborted"   // the caller gave up: it says nothing of the server
)

// Reply codes of RFC 5321 section 4.2 and RFC 4954 section 6.
const codeClosing = 421

// serverCodes tell that the dialogue, not the mail, is at fault: closing down, or a login is missing or not accepted.
var serverCodes = []int{codeClosing, 454, 530, 534, 535, 538}

// judge sorts the result of an attempt.
func judge(ctx context.Context, err error) verdict {
	if err == nil {
		return verdictSent
	}
	var te *transactionError
	inMail := errors.As(err, &te)
	r := reply(err)
	switch {
	case errors.Is(err, errNoSlot), r == nil && errors.Is(ctx.Err(), context.Canceled) && (!inMail || te.stage != stageEnd):
		return verdictAborted
	case !inMail:
		return verdictServer
	case r == nil && te.stage == stageEnd && !unsent(err):
		return verdictUncertain
	case r == nil, slices.Contains(serverCodes, r.Code):
		return verdictServer
	case r.Code < 500:
		return verdictLater
	case r.EnhancedCode[1] == policyClass && te.stage != stageEnd:
		return verdictPolicy
	}
	return verdictRefused
}

// policyClass is the subject of enhanced status codes that tells of security or policy, RFC 3463 section 3.8: 5.7.1 is
// how servers refuse to relay.
const policyClass = 7

// unsent reports whether the mail did not leave whole.
func unsent(err error) bool {
	var we *writeError
	return errors.As(err, &we)
}

// writeError is a failure to send what was gathered.
type writeError struct{ err error }

// Error is the cause's text.
func (e *writeError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *writeError) Unwrap() error { return e.err }
