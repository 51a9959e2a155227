package simulate

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"callhome"
	"callhome/codec/aml"
)

const (
	// postTimeout is from connecting to the end of the answer.
	postTimeout = 30 * time.Second
	// maxAnswer is far above any acknowledgement.
	maxAnswer = 64 << 10
)

// Posting makes ways that post call-home messages as XML to an http:// or https:// address. cfg may be nil. Redirects are
// not followed and proxies of the environment are not used: nothing goes where the caller did not point.
func Posting(target string, cfg *tls.Config) (open func() (Way, error), err error) {
	u, err := url.Parse(target)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is not an http:// or https:// address", target)
	}
	transport := &http.Transport{TLSClientConfig: cfg, MaxIdleConnsPerHost: maxInFlight, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true}
	client := &http.Client{
		Transport: transport, Timeout: postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func() (Way, error) { return &poster{target: u.String(), client: client}, nil }, nil
}

// poster is a way by HTTP.
type poster struct {
	target string
	client *http.Client
	body   []byte // used again
}

// Send posts one message and reads the answer. What a device posts first is its inventory, until it is acknowledged. Only 200 with no other message's ID in it is an acknowledgement.
func (p *poster) Send(ctx context.Context, d *Device, n uint64, rng *rand.Rand) error {
	say := d.Message
	if !d.introduced {
		say = d.Inventory
	}
	m, variant := say(time.Now(), n, rng)
	body, err := aml.Append(p.body[:0], m, variant)
	if err != nil {
		return fmt.Errorf("the message cannot be written: %w", err)
	}
	p.body = body
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/soap+xml; charset=utf-8")
	resp, err := p.client.Do(req)
	if err != nil {
		return reasonOf(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	switch {
	case err != nil:
		return errors.New("the answer broke off")
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	if ack, err := aml.ParseAck(answer); err == nil && ack.MessageID != "" && ack.MessageID != m.MessageID {
		return errors.New("another message was acknowledged")
	}
	d.introduced = true
	return nil
}

// Close leaves the connections to the other senders.
func (p *poster) Close() error {
	p.client.CloseIdleConnections()
	return nil
}

// reasonOf is an error without the address, port and number that make every one of them different.
func reasonOf(err error) error {
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("no answer in time")
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped before the answer came")
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err
}

// Message is what the device calls home about the n-th time, and the form its platform writes it in. No two numbers give
// the same message ID.
func (d *Device) Message(now time.Time, n uint64, rng *rand.Rand) (*callhome.Message, aml.Variant) {
	m, variant := d.blank(now, n)
	say := d.Pick(rng).lines[0]
	level := callhome.LevelFromSyslog(say.severity)
	m.Name, m.Type, m.Group, m.Severity = "syslog", "syslog", callhome.GroupSyslog, &level
	m.Description = "%" + say.mnemonic + ": " + say.text
	d.attach(m, "show logging", "show inventory")
	return m, variant
}

// Inventory is the message in which the device says what it is, as devices send it first of all. Nothing in it is random.
func (d *Device) Inventory(now time.Time, n uint64, _ *rand.Rand) (*callhome.Message, aml.Variant) {
	m, variant := d.blank(now, n)
	level := callhome.LevelNormal
	m.Name, m.Type, m.Subtype, m.Group, m.Severity = "inventory", "inventory", "full", callhome.GroupInventory, &level
	m.Description = "full inventory"
	m.FRUs = []callhome.FRU{{Name: "QX-LC24", Serial: d.module(), Slot: "3", HWVersion: "2.0", SWVersion: d.Version}}
	d.attach(m, "show version", "show inventory")
	return m, variant
}

// blank is what all messages of the device say.
func (d *Device) blank(now time.Time, n uint64) (*callhome.Message, aml.Variant) {
	variant, _ := aml.VariantFor(string(d.Platform))
	now = now.UTC().Truncate(time.Second)
	return &callhome.Message{
		MessageID: callhome.MakeMessageID(variant.MessagePrefix, n, d.Serial, now),
		GroupID:   string(callhome.MakeMessageID(variant.GroupPrefix, n, d.Serial, now)),
		EventTime: callhome.At(now), CreationTime: callhome.At(now),
		DeviceID: callhome.MakeDeviceID(d.Model, d.Serial), CustomerID: "C-SIMULATED", ContractID: "K-SIMULATED", SiteID: "SIM",
		SystemName: d.Hostname, ContactEmail: "noc@simulated.example",
		Model: d.Model, Serial: d.Serial, HWVersion: "1.0", SWVersion: d.Version,
	}, variant
}

func (d *Device) attach(m *callhome.Message, commands ...string) {
	for _, command := range commands {
		m.Attachments = append(m.Attachments, callhome.Attachment{Name: command, Type: "inline", Text: string(d.Answer(command))})
	}
}
