package receive

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"callhome"
)

// Submission is one message as it arrived. Whoever gets one owns it; the listener keeps nothing of it.
type Submission struct {
	Body       []byte // as received; of a mail the whole of it, header included
	Transport  callhome.Transport
	ReceivedAt time.Time
	Peer       netip.AddrPort // sender's address: a claim, not a proof
	Local      netip.AddrPort // address it was sent to
	TLS        *TLSIdentity   // nil when it came in the clear
	Weak       bool           // it came by a listener that speaks old TLS versions and ciphers
	HTTP       *HTTP          // set when Transport is callhome.TransportHTTP
	Mail       *Mail          // set when Transport is callhome.TransportEmail
}

// TLSIdentity is what the TLS layer knows of the sender.
type TLSIdentity struct {
	Version     string   // such as "TLS 1.3"
	Subject     string   // of the verified client certificate, "" without one
	Names       []string // DNS names of that certificate
	Fingerprint string   // SHA-256 of that certificate
}

// HTTP is what the request said besides its body.
type HTTP struct {
	Path        string
	ContentType string
	UserAgent   string
	Token       callhome.Secret // of "Authorization: Bearer …"
}

// Mail is what the SMTP dialogue said. Addresses are without angle brackets; From is "" for a bounce.
type Mail struct {
	From     string
	To       []string
	Hello    string // what the peer calls itself
	AuthUser string // "" without AUTH
}

// Sink takes submissions. Listeners call Accept from many goroutines at once, each with the context of its connection.
//
// nil means durable: the message survives a crash at this very moment, and the listener acknowledges it. An error means
// that the sink keeps nothing; the listener refuses, and the sender keeps its message. A *Refusal says why; any other
// error counts as RefuseBusy.
type Sink interface {
	Accept(ctx context.Context, s *Submission) (Receipt, error)
}

// SinkFunc makes a function a Sink.
type SinkFunc func(ctx context.Context, s *Submission) (Receipt, error)

// Accept calls f.
func (f SinkFunc) Accept(ctx context.Context, s *Submission) (Receipt, error) { return f(ctx, s) }

// Receipt is what the sink says of a message it took.
type Receipt struct {
	MessageID callhome.MessageID // echoed to the sender; "" when not known
	Duplicate bool               // known already, and therefore safe
}

// RefusalReason is why a sink does not take a message.
type RefusalReason string

// The reasons, each with its answer by HTTP and by SMTP.
const (
	RefuseMalformed   RefusalReason = "malformed"   // 400, 554: not well-formed or not Call Home
	RefuseUnsupported RefusalReason = "unsupported" // 415, 554: a form that this transport does not carry
	RefuseTooLarge    RefusalReason = "too_large"   // 413, 552
	RefuseDenied      RefusalReason = "denied"      // 403, 550: filtered by address, serial or token
	RefuseBusy        RefusalReason = "busy"        // 503 with Retry-After, 451: full, in maintenance, or broken
)

// Refusal is the error by which a sink says why, and when to come again. Msg and Err are for our log; Public alone is
// told to the sender.
type Refusal struct {
	Reason     RefusalReason
	Public     string        // one sentence for the sender; "" gives the reason's own
	RetryAfter time.Duration // RefuseBusy: when to come again; 0 gives the listener's own
	Err        error
}

// Error names reason and cause.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return fmt.Sprintf("refused (%s): %s", r.Reason, r.Public)
	}
	return fmt.Sprintf("refused (%s): %v", r.Reason, r.Err)
}

// Unwrap gives the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// publicTexts are told to strangers when the sink gives no sentence.
var publicTexts = map[RefusalReason]string{
	RefuseMalformed:   "the message is not a Call Home message",
	RefuseUnsupported: "this form of message is not taken here; send XML",
	RefuseTooLarge:    "the message is too large",
	RefuseDenied:      "messages of this sender are not taken here",
	RefuseBusy:        "no message can be taken now; try again later",
}

// RefusalOf is the refusal in err's chain; any other error is a temporary one whose cause is not told to the sender.
func RefusalOf(err error) Refusal {
	var r *Refusal
	if !errors.As(err, &r) {
		return Refusal{Reason: RefuseBusy, Public: publicTexts[RefuseBusy], Err: err}
	}
	out := *r
	if _, known := publicTexts[out.Reason]; !known {
		out.Reason = RefuseBusy
	}
	if out.Public == "" {
		out.Public = publicTexts[out.Reason]
	}
	return out
}
