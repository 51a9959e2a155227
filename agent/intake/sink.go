package intake

import (
	"context"
	"net/netip"
	"time"

	"callhome"
)

// Origin says where a line came from. Adapters reuse it: a sink copies what it keeps.
type Origin struct {
	Source     callhome.Source
	ReceivedAt time.Time      // one reading of the clock may serve many lines that arrived together
	Peer       netip.AddrPort // the sender, a claim where the transport is UDP; invalid for files and the journal
	Transport  string         // udp, tcp, tls, unix, unixgram; "" for files and the journal
	Name       string         // file path, journal, or the listener's address
	Secure     bool           // the sender showed a certificate that our client CA signed
	Identity   string         // the certificate's first DNS name, or its common name; "" unless Secure

	// How the framing went.
	Truncated    bool // the line was longer than the limit; this is its beginning
	Unterminated bool // the stream ended inside the line
	Continuation bool // the line belongs to the one before, or was joined from several
}

// Sink takes lines. Adapters call it from several goroutines at once, for one connection, file or socket from one
// goroutine and in order.
type Sink interface {
	// Take takes one line without its framing. The line, which may hold any bytes and line feeds, and the origin are valid
	// during the call only. When Take returns, the line counts as taken: adapters with a checkpoint move it on. Take
	// returns an error only if ctx ended before the line was safe.
	Take(ctx context.Context, raw []byte, o *Origin) error
}

// SinkFunc makes a function a Sink.
type SinkFunc func(ctx context.Context, raw []byte, o *Origin) error

// Take calls f.
func (f SinkFunc) Take(ctx context.Context, raw []byte, o *Origin) error { return f(ctx, raw, o) }
