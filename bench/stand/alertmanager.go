package stand

import (
	"fmt"
	"path/filepath"
	"time"

	"callhome/bench/proc"
)

// Alertmanager takes alerts by HTTP and passes each on to a web hook at once. Its queue is memory.
type Alertmanager struct {
	p    *proc.Process
	Addr string
	// Listening is how long it took from its start until it listened.
	Listening time.Duration
}

const alertmanagerConf = `route:
  receiver: sink
  group_by: ['...']
  group_wait: 0s
  group_interval: 1s
receivers:
  - name: sink
    webhook_configs:
      - url: %s
        send_resolved: false
`

// StartAlertmanager runs it in dir.
func StartAlertmanager(dir, hook string) (*Alertmanager, error) {
	bin, err := proc.Find("prometheus-alertmanager", "alertmanager")
	if err != nil {
		return nil, err
	}
	conf, err := write(dir, "alertmanager.yml", fmt.Sprintf(alertmanagerConf, hook))
	if err != nil {
		return nil, err
	}
	a := &Alertmanager{Addr: Address(proc.FreePort())}
	a.p, err = proc.Start(dir, "alertmanager", nil, bin, "--config.file="+conf, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+a.Addr, "--cluster.listen-address=", "--log.level=error")
	if err != nil {
		return nil, err
	}
	if a.Listening, err = proc.AwaitPort(a.p, a.Addr, listenTime); err != nil {
		a.p.Kill()
		return nil, err
	}
	return a, nil
}

// Process is its process.
func (a *Alertmanager) Process() *proc.Process { return a.p }

// Stop ends it.
func (a *Alertmanager) Stop() proc.Usage { return a.p.Stop() }
