package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"callhome"
	"callhome/codec/aml"
	"callhome/receive/httprecv"
	"callhome/server/account"
	"callhome/server/registry"
	"callhome/server/sqlstore"
)

const (
	// fleetDevices are the identities of a load, of which unregisteredDevices are known and not registered.
	fleetDevices, unregisteredDevices = 1000, 100
	// fleetPosters send at once, each for its part of the fleet.
	fleetPosters = 24
	// hotDevices of a poster send half of its messages, so that histories and revisions grow.
	hotDevices = 3
)

// kind is what a message of the load is about.
type kind int

const (
	kindFan       kind = iota // one service request for a device, joined by all that follow
	kindMemory                // an observation, and from the third on a finding
	kindInventory             // a revision: one unit is another one each time
	kindConfig                // a revision: one line is another one each time
	kinds
)

// posted is a message that was made.
type posted struct {
	id     callhome.MessageID
	kind   kind
	device *fleetDevice
	body   []byte
}

// fleetDevice is an identity with what it sent, in order. A device sends its next message after the last was answered.
type fleetDevice struct {
	serial     string
	host       string
	registered bool

	unanswered *posted
	answered   []*posted
}

const fleetModel = "QX9006"

func (d *fleetDevice) id() callhome.DeviceID { return callhome.MakeDeviceID(fleetModel, d.serial) }

// base is what all messages of a device say.
func (d *fleetDevice) base(number uint64) *callhome.Message {
	now := time.Now().UTC().Truncate(time.Second)
	return &callhome.Message{
		MessageID: callhome.MakeMessageID("M", number, d.serial, now), GroupID: string(callhome.MakeMessageID("G", number, d.serial, now)),
		EventTime: callhome.At(now), CreationTime: callhome.At(now), DeviceID: d.id(), CustomerID: "C-20417", ContractID: "K-7781-22", SiteID: "Lisbon-DC2",
		SystemName: d.host, ContactEmail: "noc@ops.example", SourceID: "Catalyst 9000 Series Switches", Brand: "Cisco Systems", Builder: "IOS",
		Model: fleetModel, Serial: d.serial, HWVersion: "1.1", SWVersion: "17.12.4",
	}
}

// make makes a message. No two numbers of a load give the same ID.
func (d *fleetDevice) make(k kind, number uint64) (*posted, error) {
	m := d.base(number)
	level := callhome.LevelMajor
	m.Severity, m.Type, m.Name, m.Group = &level, "syslog", "syslog", callhome.GroupSyslog
	switch k {
	case kindFan:
		m.Description = "%ENVMON-3-FAN_FAILED: Fan 2 failed"
	case kindMemory:
		m.Description = "%MEM_ECC-3-SBE: Single bit error detected and corrected at 0x6310B3F8"
	case kindInventory:
		m.Type, m.Name, m.Subtype, m.Group, m.Description = "inventory", "inventory", "full", callhome.GroupInventory, "inventory"
		m.FRUs = []callhome.FRU{{Name: "QX-LC24", Serial: fmt.Sprintf("QXL%08X", number), Slot: "1", HWVersion: "2.0", SWVersion: "17.12.4"}}
	case kindConfig:
		m.Type, m.Name, m.Group, m.Description = "configuration", "configuration", callhome.GroupConfiguration, "configuration"
		m.Attachments = []callhome.Attachment{{Name: "show running-config", Type: "inline", Text: fmt.Sprintf(
			"show running-config\nBuilding configuration...\n\nCurrent configuration : 120 bytes\n!\nversion 17.12\nhostname %s\n!\ninterface Loopback0\n description number %d\n!\nend\n", d.host, number)}}
	}
	body, err := aml.Append(nil, m, variantIOS)
	return &posted{id: m.MessageID, kind: k, device: d, body: body}, err
}

var variantIOS, _ = aml.VariantFor("ios")

// fleet is a load of messages that are posted until they are answered.
type fleet struct {
	t       *testing.T
	devices []*fleetDevice
	clients [fleetPosters]*http.Client
	pause   time.Duration // of a poster after each answer
	number  atomic.Uint64
	answers atomic.Int64
	failed  atomic.Int64
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{t: t}
	for i := range fleetDevices {
		f.devices = append(f.devices, &fleetDevice{
			serial: fmt.Sprintf("QXA26%05X", i), host: fmt.Sprintf("edge-rtr-%d", i), registered: i >= unregisteredDevices,
		})
	}
	for i := range f.clients {
		f.clients[i] = &http.Client{Timeout: patience, Transport: &http.Transport{}}
		t.Cleanup(f.clients[i].CloseIdleConnections)
	}
	return f
}

// register makes the devices known to the back end of a database, and most of them its customers.
func (f *fleet) register(dsn string) {
	f.t.Helper()
	ctx := context.Background()
	store, err := sqlstore.Open(ctx, dsn, sqlstore.Options{Name: "preparation"})
	if err != nil {
		f.t.Fatal(err)
	}
	defer store.Close()
	office, registrar := &account.Office{}, &registry.Registrar{}
	err = store.InTx(ctx, func(tx *sqlstore.Tx) error {
		company, err := office.NewCompany(ctx, tx.Account(), account.System(), "Acme")
		if err != nil {
			return err
		}
		now := time.Now()
		contract := registry.Contract{
			Number: "K-7781-22", Company: company.ID, Tier: "gold", From: now.AddDate(-1, 0, 0), Until: now.AddDate(1, 0, 0),
			Covers: []registry.Cover{{Kind: registry.CoverProduct, Value: "*"}},
		}
		if _, err := registrar.PutContract(ctx, tx.Registry(), &contract); err != nil {
			return err
		}
		leader := account.Principal{User: 7, Name: "rita", Role: account.RoleCompanyAdmin, Companies: []account.CompanyID{company.ID}, Scope: account.ScopeAdmin}
		for _, d := range f.devices {
			if err := register(ctx, tx.Registry(), registrar, d, leader); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func register(ctx context.Context, s registry.Store, r *registry.Registrar, d *fleetDevice, leader account.Principal) error {
	m := d.base(0)
	m.Type, m.Subtype, m.Group, m.FRUs = "inventory", "full", callhome.GroupInventory, []callhome.FRU{{Name: "QX-LC24", Serial: "QXL0", Slot: "1"}}
	out, err := r.Identify(ctx, s, &registry.Input{Message: m, Personality: "iosxe", ReceivedAt: time.Now(), Transport: "http", Peer: "127.0.0.1"})
	if err != nil || !d.registered {
		return err
	}
	dev, _, err := r.Confirm(ctx, s, registry.ConfirmOrder{Device: out.Device.ID, Agreed: true, By: leader})
	if err == nil && dev.State != registry.StateRegistered {
		err = fmt.Errorf("%s is %s", dev.DeviceID, dev.State)
	}
	return err
}

// run posts to the addresses, one after the other when one fails, until stop is closed. What is not answered then is
// posted by the next run first.
func (f *fleet) run(stop <-chan struct{}, urls ...string) {
	var posters sync.WaitGroup
	for w, client := range f.clients {
		posters.Go(func() { f.poster(stop, client, w, urls) })
	}
	posters.Wait()
}

func (f *fleet) poster(stop <-chan struct{}, client *http.Client, w int, urls []string) {
	var mine []*fleetDevice
	for i := w; i < len(f.devices); i += fleetPosters {
		mine = append(mine, f.devices[i])
	}
	at := w
	for i := 0; ; i++ {
		d := mine[i%len(mine)]
		if rand.IntN(2) == 0 {
			d = mine[len(mine)-1-rand.IntN(hotDevices)]
		}
		if d.unanswered == nil {
			p, err := d.make(kind(rand.IntN(int(kinds))), f.number.Add(1))
			if err != nil {
				f.t.Error(err)
				return
			}
			d.unanswered = p
		}
		for d.unanswered != nil {
			select {
			case <-stop:
				return
			default:
			}
			if err := postFleet(client, urls[at%len(urls)], d.unanswered.body, d.unanswered.id); err != nil {
				f.failed.Add(1)
				at++
				time.Sleep(10 * time.Millisecond)
				continue
			}
			f.answers.Add(1)
			d.answered = append(d.answered, d.unanswered)
			d.unanswered = nil
			time.Sleep(f.pause)
		}
	}
}

// finish posts until everything is answered.
func (f *fleet) finish(urls ...string) {
	f.t.Helper()
	eventually(f.t, "every message to be answered", func() error {
		var errs []error
		for i, d := range f.devices {
			if d.unanswered == nil {
				continue
			}
			if err := postFleet(f.clients[i%fleetPosters], urls[i%len(urls)], d.unanswered.body, d.unanswered.id); err != nil {
				errs = append(errs, err)
				continue
			}
			d.answered, d.unanswered = append(d.answered, d.unanswered), nil
		}
		return errors.Join(errs...)
	})
}

// all are the messages that were answered, by ID.
func (f *fleet) all() map[callhome.MessageID]*posted {
	all := map[callhome.MessageID]*posted{}
	for _, d := range f.devices {
		for _, p := range d.answered {
			all[p.id] = p
		}
	}
	return all
}

// postFleet posts a message; nil means that it was acknowledged.
func postFleet(client *http.Client, url string, body []byte, id callhome.MessageID) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+httprecv.PathDDCE, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/xml")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d %s, %w", resp.StatusCode, answer, err)
	}
	ack, err := aml.ParseAck(answer)
	if err != nil || ack.MessageID != id {
		return fmt.Errorf("acknowledged %q for %q, %w", ack.MessageID, id, err)
	}
	return nil
}
