package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"callhome/ctl"
	"callhome/enrol"
	"callhome/server/registry"
)

func (a *app) adminDevice() *cobra.Command {
	return group("device", "Devices and their registration",
		a.deviceList(), a.deviceConfirm(), a.deviceAssign(), a.deviceConflicts(), a.deviceResolve(),
		one("show DEVICE", "Print one device in full", func(ctx context.Context, name string) error { return a.admins().Device(ctx, name) }),
		a.deviceDecide("reject", "Refuse devices", registry.Rejected), a.deviceDecide("suspend", "Stop devices for a while", registry.Suspended),
		a.deviceDecide("resume", "End a suspension", registry.Resumed), a.deviceDecide("reopen", "Ask for confirmation anew", registry.Reopened))
}

func (a *app) deviceList() *cobra.Command {
	q := &ctl.DeviceQuery{}
	c := paged(leaf("list", "List devices", func(ctx context.Context) error { return a.admins().Devices(ctx, *q) }), &q.PageQuery)
	f := c.Flags()
	f.StringVar((*string)(&q.Filter.State), "state", "", "only devices of this state")
	f.BoolVar(&q.Filter.Asking, "pending", false, "only devices that nobody confirmed yet")
	f.BoolVar(&q.Filter.Silent, "silent", false, "only silent devices")
	f.BoolVar(&q.Filter.Conflict, "conflict", false, "only devices with an open conflict")
	f.StringVar(&q.Filter.Model, "model", "", "product model")
	f.StringVar(&q.Filter.Serial, "serial", "", "serial number")
	f.StringVar(&q.Filter.Name, "name", "", "beginning of the host name")
	f.StringVar(&q.Filter.Contract, "contract", "", "contract number")
	f.StringVar(&q.Filter.Site, "site", "", "site as the device says")
	f.StringVar(&q.Filter.Version, "version", "", "software version")
	return c
}

// deviceUse says how devices are named.
const deviceUse = "DEVICE ..."

func (a *app) deviceConfirm() *cobra.Command {
	var o ctl.DeviceOrder
	c := &cobra.Command{
		Use: "confirm {" + deviceUse + "|--all}", Short: "Register devices, named by device ID, serial number or ID",
		RunE: func(c *cobra.Command, args []string) error {
			if o.Devices = args; len(args) == 0 && !o.AllAsking {
				return usageError{fmt.Errorf("name devices, or give --all; usage: %s", c.UseLine())}
			}
			return a.admins().ConfirmDevices(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.AllAsking, "all", false, "all devices that wait and that a contract covers")
	c.Flags().StringVar(&o.Contract, "contract", "", "contract number, where the devices name none")
	return c
}

func (a *app) deviceAssign() *cobra.Command {
	var o ctl.DeviceOrder
	c := &cobra.Command{
		Use: "assign " + deviceUse + " --company NAME", Short: "Give devices to a company", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			o.Devices = args
			return a.admins().AssignDevices(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.Company, "company", "", "company by name")
	c.Flags().StringVar(&o.Contract, "contract", "", "contract number")
	_ = c.MarkFlagRequired("company")
	return c
}

func (a *app) deviceDecide(name, short string, h registry.Happening) *cobra.Command {
	return &cobra.Command{
		Use: name + " " + deviceUse, Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.admins().DecideDevices(c.Context(), ctl.DeviceOrder{Devices: args, Happening: h})
		},
	}
}

func (a *app) deviceConflicts() *cobra.Command {
	q := &ctl.PageQuery{Match: string(registry.ConflictOpen)}
	var all bool
	c := paged(leaf("conflicts", "List serial numbers that appeared from elsewhere", func(ctx context.Context) error {
		if all {
			q.Match = ""
		}
		return a.admins().Conflicts(ctx, *q)
	}), q)
	c.Flags().BoolVar(&all, "all", false, "decided ones, too")
	return c
}

func (a *app) deviceResolve() *cobra.Command {
	return &cobra.Command{
		Use: "resolve ID {keep|move|both}", Short: "Decide a conflict: the device stays, follows the later messages, or both are right", Args: cobra.ExactArgs(2),
		ValidArgs: []string{"keep", "move", "both"},
		RunE: func(c *cobra.Command, args []string) error {
			id, err := number(args[0])
			if err != nil {
				return err
			}
			decision, ok := map[string]registry.ConflictState{"keep": registry.ConflictKept, "move": registry.ConflictDone, "both": registry.ConflictBoth}[args[1]]
			if !ok {
				return usageError{fmt.Errorf("%q is not keep, move or both", args[1])}
			}
			return a.admins().Resolve(c.Context(), ctl.ResolveOrder{ID: id, Decision: decision})
		},
	}
}

func (a *app) adminContract() *cobra.Command {
	var o ctl.ImportOrder
	load := &cobra.Command{
		Use: "import [FILE]", Short: "Bring a CSV file of contracts in: all of it, or nothing", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := a.input(args)
			if err != nil {
				return err
			}
			defer r.Close()
			b, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			o.CSV = string(b)
			return a.admins().ImportContracts(c.Context(), o)
		},
	}
	load.Flags().BoolVar(&o.DryRun, "dry-run", false, "only say what would change")
	load.Flags().BoolVar(&o.Replace, "replace", false, "contracts of the file cover exactly what it says, no more")
	return group("contract", "Contracts: what they cover, from when to when", load,
		listing("List contracts", func(ctx context.Context, q ctl.PageQuery) error { return a.admins().Contracts(ctx, q) }),
		one("show NUMBER", "Print one contract with what it covers", func(ctx context.Context, name string) error { return a.admins().Contract(ctx, name) }),
		one("delete NUMBER", "Remove a contract", func(ctx context.Context, name string) error { return a.admins().DeleteContract(ctx, name) }))
}

func (a *app) adminEnrol() *cobra.Command {
	var o ctl.EnrolOrder
	var days int
	token := &cobra.Command{
		Use: "token {agent|gateway}", Short: "Make a one-time token for joining and print it, alone", Args: cobra.ExactArgs(1),
		ValidArgs: []string{string(enrol.KindAgent), string(enrol.KindGateway)},
		RunE: func(c *cobra.Command, args []string) error {
			o.Kind, o.Lifetime = enrol.Kind(args[0]), time.Duration(days)*24*time.Hour
			return a.admins().EnrolToken(c.Context(), o)
		},
	}
	token.Flags().StringVar(&o.Company, "company", "", "company by name; none: the operator's own")
	token.Flags().StringVar(&o.Name, "name", "", "what it will be called; none: what it calls itself")
	token.Flags().IntVar(&days, "days", 0, fmt.Sprintf("lifetime (default %d)", registry.DefaultTokenLifetime/(24*time.Hour)))
	var reason string
	revoke := one("revoke ID", "End the membership of an agent or gateway", func(ctx context.Context, id string) error {
		n, err := number(id)
		if err != nil {
			return err
		}
		return a.admins().RevokeEnrolment(ctx, ctl.RevokeOrder{ID: registry.EnrolmentID(n), Reason: reason})
	})
	revoke.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return group("enrol", "Agents and gateways of ours", token, revoke,
		listing("List agents and gateways with their heartbeats", func(ctx context.Context, q ctl.PageQuery) error { return a.admins().Enrolments(ctx, q) }),
		leaf("drift", "Which versions and configurations they run", func(ctx context.Context) error { return a.admins().Drift(ctx) }))
}
