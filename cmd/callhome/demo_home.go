package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/template"

	"callhome"
	"callhome/agent"
	"callhome/config"
	"callhome/control"
	"callhome/ctl"
	"callhome/enrol"
	"callhome/receive/httprecv"
	"callhome/server/account"
	"callhome/server/archive"
	"callhome/simulate"
)

// What the demo keeps in its folder. Folders, sockets and the token go when it ends.
const (
	demoLog         = "demo.log"
	demoMails       = "mail"
	demoAgentDir    = "agent"
	demoGatewayDir  = "gateway"
	demoServerDir   = "server"
	demoGatewayFile = "gateway.yaml"
	demoServerFile  = "server.yaml"
	demoToken       = "token"
)

const (
	// demoWeb is where portal and API of the demo are, unless somebody has the port.
	demoWeb = "127.0.0.1:8080"
	// demoCompany, demoContract and demoDomain are the customer of the demo.
	demoCompany, demoContract, demoDomain = "Acme", "K-7781-22", "@ops.example"
	// demoTickets is the profile of the agent that talks to the back end.
	demoTickets = "tickets"
	// demoSender is whom the back end's mails come from.
	demoSender = "callhome@support.example"
	// gatewayPath is where devices post to a gateway.
	gatewayPath = httprecv.PathGateway
)

// sweep removes what a demo keeps only while it runs: databases, keys, the token.
func (d *demo) sweep() error {
	for _, name := range []string{demoAgentDir, demoGatewayDir, demoServerDir, demoToken, "agent.sock", "gateway.sock", "server.sock"} {
		if err := os.RemoveAll(filepath.Join(d.dir, name)); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// home is where the demo's messages go: a gateway and a back end, with a customer and a contract.
type home struct {
	back    *backend
	desk    *desk
	gateway *site

	gatewayURL, webURL string
}

// The configurations of the demo's back end and gateway: files like any other.
var (
	demoServer = template.Must(template.New("server").Parse(`# Made by callhome demo. Copy it and change it to begin your own.
data_dir: ./server
control: ./server.sock
listen:
  devices: ["https://127.0.0.1:0"]    # any free port: yours is a fixed one
  portal: ["http://{{.Web}}"]         # the API
registration: {auto_confirm: certificate}   # what comes through a customer's own gateway needs no person to confirm it
mail_servers: [{host: {{.MailHost}}, port: {{.MailPort}}, priority: 1, security: none}]
notify: {from: "Callhome <{{.Sender}}>", portal: "http://{{.Web}}"}
casework:
  teams: [{name: support, email: support@support.example}]
`))
	demoGateway = template.Must(template.New("gateway").Parse(`# Made by callhome demo. Copy it and change it to begin your own.
data_dir: ./gateway
control: ./gateway.sock
name: demo-gateway
listen: {devices: ["http://127.0.0.1:0"]}
upstream: [{url: "{{.Upstream}}", ca_file: ./server/tls/ca.crt}]
`))
)

// write makes a configuration file.
func (d *demo) write(name string, t *template.Template, values map[string]any) (string, error) {
	var text strings.Builder
	if err := t.Execute(&text, values); err != nil {
		return "", err
	}
	file := filepath.Join(d.dir, name)
	return file, os.WriteFile(file, []byte(text.String()), 0o600)
}

// openHome starts the back end, makes its customer, starts the gateway and lets it join.
func (d *demo) openHome(ctx context.Context, parts *sync.WaitGroup, log *slog.Logger) (*home, error) {
	h := &home{}
	if err := d.openBackend(ctx, parts, log, h); err != nil {
		return nil, fmt.Errorf("demo: the back end: %w", err)
	}
	join, err := d.openCustomer(ctx, h)
	if err != nil {
		return nil, fmt.Errorf("demo: the customer: %w", err)
	}
	if err := d.openGateway(ctx, parts, log, h); err != nil {
		return nil, fmt.Errorf("demo: the gateway: %w", err)
	}
	if err := h.gateway.register(ctx, join); err != nil {
		return nil, fmt.Errorf("demo: the gateway cannot join the back end: %w", err)
	}
	parts.Go(func() { d.watch(ctx, h) })
	return h, nil
}

func (d *demo) openBackend(ctx context.Context, parts *sync.WaitGroup, log *slog.Logger, h *home) error {
	host, port, err := net.SplitHostPort(d.sinks.mailAddr)
	if err != nil {
		return err
	}
	web, err := freeTCP(ctx, demoWeb)
	if err != nil {
		return err
	}
	file, err := d.write(demoServerFile, demoServer, map[string]any{"Web": web, "MailHost": host, "MailPort": port, "Sender": demoSender})
	if err != nil {
		return err
	}
	cfg, err := config.LoadServer(file)
	if err != nil {
		return err
	}
	back, err := newBackend(ctx, cfg, log)
	if err != nil {
		return err
	}
	h.back, h.webURL = back, "http://"+web
	h.desk = &desk{store: back.store, office: &account.Office{}, registrar: back.registrar}
	parts.Go(func() {
		defer back.close()
		if err := back.run(ctx); err != nil {
			d.say("the back end has failed: %v", err)
		}
	})
	return nil
}

// openCustomer makes company, contract and API token, and gives the token that the gateway joins with.
func (d *demo) openCustomer(ctx context.Context, h *home) (callhome.Secret, error) {
	office := h.desk
	err := office.tx(ctx, func(t tx) error {
		_, err := office.office.NewCompany(ctx, t.Account(), account.System(), demoCompany)
		return err
	})
	if err != nil {
		return callhome.Secret{}, err
	}
	done, err := office.importContracts(ctx, ctl.ImportOrder{CSV: fmt.Sprintf("contract,company,tier,product,email\n%s,%s,gold,*,%s\n", demoContract, demoCompany, demoDomain)})
	if err != nil || len(done.Faults) > 0 {
		return callhome.Secret{}, fmt.Errorf("contract: %v: %w", done.Faults, err)
	}
	token, err := office.createToken(ctx, ctl.TokenOrder{Name: "demo", Scope: account.ScopeAdmin})
	if err != nil {
		return callhome.Secret{}, err
	}
	if err := os.WriteFile(filepath.Join(d.dir, demoToken), []byte(token.Secret+"\n"), 0o600); err != nil {
		return callhome.Secret{}, err
	}
	join, err := office.enrolToken(ctx, ctl.EnrolOrder{Kind: enrol.KindGateway, Company: demoCompany, Name: "demo-gateway"})
	return callhome.NewSecret(join.Secret), err
}

func (d *demo) openGateway(ctx context.Context, parts *sync.WaitGroup, log *slog.Logger, h *home) error {
	file, err := d.write(demoGatewayFile, demoGateway, map[string]any{"Upstream": h.back.posts.URLs()[0] + httprecv.PathDDCE})
	if err != nil {
		return err
	}
	cfg, err := config.LoadGateway(file)
	if err != nil {
		return err
	}
	if h.gateway, err = buildSite(ctx, file, cfg, log); err != nil {
		return err
	}
	orders := &control.Server{Path: cfg.Control, Log: log}
	h.gateway.serve(orders, file)
	if err := orders.Listen(ctx); err != nil {
		h.gateway.close()
		return err
	}
	h.gatewayURL = h.gateway.devices.URLs()[0]
	parts.Go(func() {
		defer h.gateway.close()
		if err := h.gateway.run(ctx, orders, file); err != nil {
			d.say("the gateway has failed: %v", err)
		}
	})
	return nil
}

// freeTCP is the address, or one with another port if somebody has it.
func freeTCP(ctx context.Context, address string) (string, error) {
	ln, err := listen(ctx, "demo", address)
	if err != nil {
		ln, err = listen(ctx, "demo", "127.0.0.1:0")
	}
	if err != nil {
		return "", err
	}
	return ln.Addr().String(), ln.Close()
}

// backlog is how many messages the back end has taken and not yet worked.
func (h *home) backlog(ctx context.Context) (int64, error) {
	in, ok := h.back.intake.(interface {
		Backlog(context.Context) (archive.Backlog, error)
	})
	if !ok {
		return 0, callhome.Errorf(callhome.KindInternal, "the intake does not tell what waits")
	}
	b, err := in.Backlog(ctx)
	return b.Arrivals, err
}

// introduce lets the agent call home about every device at once, as devices do when they are set up: a back end
// registers what sent its inventory.
func introduce(ctx context.Context, d *device, fleet []*simulate.Device) error {
	for _, dev := range fleet {
		if _, err := d.agent.Send(ctx, agent.SendOrder{Group: callhome.GroupInventory, Profile: demoTickets, Device: dev.Hostname}); err != nil {
			return fmt.Errorf("demo: the inventory of %s: %w", dev.Hostname, err)
		}
	}
	return nil
}
