package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"callhome"
)

// ErrUnreachable tells, by errors.Is, that no role answered on the socket. A role that answers may itself find something
// unavailable, such as room on its disk.
var ErrUnreachable = errors.New("no running role answers")

// unreachable is why nobody could be reached.
type unreachable struct{ error }

// Is makes it an ErrUnreachable.
func (unreachable) Is(target error) bool { return target == ErrUnreachable }

// Unwrap is the network's error.
func (u unreachable) Unwrap() error { return u.error }

// Client calls a running role.
type Client struct {
	Path string // of the socket
}

// Call sends args as JSON to the named call and decodes the answer into out, which may be nil. An error of the role
// comes back as a [callhome.Error]. ErrUnreachable, of KindUnavailable, means that nobody answers on the socket.
func (c *Client) Call(ctx context.Context, name string, args, out any) error {
	body, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("control: %s: %w", name, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control/v1/"+name, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("control: %s: %w", name, err)
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.Path)
	}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		if u := (*url.Error)(nil); errors.As(err, &u) {
			err = u.Err // the URL behind the socket says nothing to anyone
		}
		return &callhome.Error{
			Kind: callhome.KindUnavailable, Path: c.Path,
			Msg: "no running role answers on this control socket; start one, or name its socket with --socket", Err: unreachable{err},
		}
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(resp.Body)
	if resp.StatusCode != http.StatusOK {
		var e wireError
		if err := dec.Decode(&e); err != nil {
			return fmt.Errorf("control: %s: answer %s: %w", name, resp.Status, err)
		}
		return &callhome.Error{Kind: e.Kind, Path: e.Path, Msg: e.Message}
	}
	if out == nil {
		return nil
	}
	if err := dec.Decode(out); err != nil {
		return fmt.Errorf("control: %s: the answer is not what was expected: %w", name, err)
	}
	return nil
}
