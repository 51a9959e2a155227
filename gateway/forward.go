package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/deliver"
	"callhome/gateway/book"
)

// errNotNow tells that an envelope was leased just when its lane was about to be closed.
var errNotNow = errors.New("messages do not leave now: not registered, or outside the time windows")

// Send implements deliver.Sender: it brings one envelope to the first upstream that takes it. An upstream that fails for
// now is left alone for a while and the next one gets the message; one that refuses it for good is believed.
func (g *Gateway) Send(ctx context.Context, env *callhome.Envelope) error {
	if err := g.gate.closed(env.Destination); err != nil {
		return deliver.RetryAfter(closedRetry, err)
	}
	out := *env
	cfg := g.cfg.Load()
	if cfg.Via {
		if doc, ok := aml.InsertVia(nil, env.Body, g.via(cfg)); ok {
			out.Body = doc
		}
	}
	// Waiting for bandwidth is no failure: the courier's deadline does not end it, stopping does.
	if err := g.pace.wait(g.life, len(out.Body), g.now()); err != nil {
		return err
	}
	return g.tryAll(ctx, cfg, &out)
}

// closedRetry is when a lane that was closed meanwhile is looked at again; until then it is held anyway.
const closedRetry = time.Minute

// tryAll tries the upstreams in turn. Each has a deadline of its own, so that one that swallows messages leaves time for
// the next.
func (g *Gateway) tryAll(ctx context.Context, cfg *Config, env *callhome.Envelope) error {
	tried := map[string]bool{}
	var errs []error
	for {
		url := g.upstreams.next(tried, g.now())
		if url == "" {
			break
		}
		tried[url] = true
		err := g.try(ctx, url, env)
		if err == nil {
			g.sent(cfg, url, env)
			return nil
		}
		if ctx.Err() != nil && g.life.Err() != nil { // cut off by us
			g.upstreams.abandoned(url)
			return err
		}
		if deliver.IsPermanent(err) {
			g.upstreams.reached(url, false, g.now())
			g.keep.became(book.Result{Key: env.Device, Result: resultFailed + ": " + clip(err.Error()), At: g.now()})
			return err
		}
		g.upstreams.failed(url, err, g.now())
		g.keep.note(countFailed, callhome.MaskURL(url))
		g.metrics.sent(url, false)
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return errors.New("no upstream is configured; name one under upstream, or carry messages out by bundles")
	}
	return errors.Join(errs...)
}

func (g *Gateway) try(ctx context.Context, url string, env *callhome.Envelope) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.sendTimeout)
	defer cancel()
	defer context.AfterFunc(g.life, func() { // a send under way gets a moment when the gateway stops
		time.AfterFunc(stopGrace, cancel)
	})()
	to := *env
	to.Destination = callhome.Destination{Transport: callhome.TransportHTTP, Address: url}
	return g.sender.Send(ctx, &to)
}

// stopGrace is less than what the courier gives, so that the outcome is still recorded.
const stopGrace = 4 * time.Second

func (g *Gateway) sent(cfg *Config, url string, env *callhome.Envelope) {
	now := g.now()
	g.upstreams.reached(url, true, now)
	g.keep.note(countSent, callhome.MaskURL(url))
	g.keep.became(book.Result{Key: env.Device, Result: resultForwarded, At: now})
	g.metrics.sent(url, true)
	if cfg.Archive.Dir != "" {
		if err := g.archive.put(cfg.Archive, env, now); err != nil {
			g.log.Warn("the archive copy could not be written", "message_id", env.MessageID, "err", err)
		}
	}
}

// via names this gateway in a message's path.
func (g *Gateway) via(cfg *Config) string { return viaPrefix + g.name(cfg) + ":" + g.book.ID() }

func clip(s string) string {
	const most = 200
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// String names what the gateway is, for logs.
func (g *Gateway) String() string { return fmt.Sprintf("gateway %s", g.name(g.cfg.Load())) }
