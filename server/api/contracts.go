package api

import (
	"bytes"
	"context"
	"fmt"
	"mime"
	"net/http"
	"time"

	"callhome"
	"callhome/server/account"
	"callhome/server/registry"
)

// Contract is an agreement on service.
type Contract struct {
	ID        ID               `json:"id"`
	Number    string           `json:"number"`
	Company   ID               `json:"company"`
	Tier      registry.Tier    `json:"tier,omitempty"`
	From      time.Time        `json:"from,omitzero" doc:"None: since ever"`
	Until     time.Time        `json:"until,omitzero" doc:"First moment without service; none: without end"`
	Name      string           `json:"name,omitempty"`
	Covers    []registry.Cover `json:"covers,omitempty" doc:"Left out in lists"`
	Claims    []registry.Claim `json:"claims,omitempty" doc:"Who may claim it for a device; left out in lists"`
	Devices   *int64           `json:"devices,omitempty" doc:"How many it covers; left out in lists"`
	UpdatedAt time.Time        `json:"updated_at,omitzero"`
}

type contractOutput struct{ Body Contract }

type contractsInput struct {
	Paging
	Number  string    `query:"number" maxLength:"128"`
	Tier    string    `query:"tier" maxLength:"64"`
	EndsBy  time.Time `query:"ends_by" doc:"Ends at or before"`
	Company int64     `query:"company" minimum:"1"`
}

type contractNumber struct {
	Number string `path:"number" maxLength:"128"`
}

func addContracts(a *API) {
	addList[contractsInput](a, listing[contractsInput, Contract]{
		Route: listRoute("/contracts", account.ContractRead, "List contracts"),
		key:   func(c *Contract) int64 { return int64(c.ID) },
		page: func(ctx context.Context, q *query, in *contractsInput, p account.Page) ([]Contract, error) {
			f := registry.ContractFilter{Number: in.Number, Tier: registry.Tier(in.Tier), EndsBy: in.EndsBy}
			list, err := q.Registry().ListContracts(ctx, q.within(in.Company), f, p)
			return mapped(list, contractOf), err
		},
	})
	look(a, Route{Path: "/contracts/{number}", Action: account.ContractRead, Summary: "One contract with what it covers"}, oneContract)
	change(a, Route{Method: http.MethodPut, Path: "/contracts/{number}", Action: account.ContractWrite, Summary: "Store a contract, new or changed"}, putContract)
	change(a, Route{Method: http.MethodDelete, Path: "/contracts/{number}", Action: account.ContractWrite, Success: http.StatusNoContent, Summary: "Remove a contract"}, deleteContract)
	change(a, Route{Method: http.MethodPost, Path: "/contracts/import", Action: account.ContractWrite, MaxBody: maxFile, Summary: "Import contracts from a CSV file, all of it or nothing"}, importContracts)
}

func contractOf(c *registry.Contract) Contract {
	return Contract{
		ID: ID(c.ID), Number: c.Number, Company: ID(c.Company), Tier: c.Tier, From: c.From, Until: c.Until, Name: c.Name, Covers: c.Covers, Claims: c.Claims,
		UpdatedAt: c.UpdatedAt,
	}
}

func (c *caller) findContract(ctx context.Context, s registry.Contracts, number string) (*registry.Contract, error) {
	contract, err := s.Contract(ctx, number)
	if err != nil && callhome.KindOf(err) != callhome.KindNotFound {
		return nil, err
	}
	if err != nil || !c.Reach().Has(contract.Company) {
		return nil, notFound("contract")
	}
	return contract, nil
}

func oneContract(ctx context.Context, q *query, in *contractNumber) (*contractOutput, error) {
	c, err := q.findContract(ctx, q.Registry(), in.Number)
	if err != nil {
		return nil, err
	}
	n, err := q.Registry().CountContractDevices(ctx, c.Number)
	if err != nil {
		return nil, err
	}
	out := &contractOutput{Body: contractOf(c)}
	out.Body.Devices = &n
	return out, nil
}

type putContractInput struct {
	Number string `path:"number" maxLength:"128"`
	Body   struct {
		Company ID               `json:"company"`
		Tier    registry.Tier    `json:"tier,omitempty" maxLength:"64"`
		From    time.Time        `json:"from,omitzero"`
		Until   time.Time        `json:"until,omitzero"`
		Name    string           `json:"name,omitempty" maxLength:"256"`
		Covers  []registry.Cover `json:"covers,omitempty" maxItems:"10000"`
		Claims  []registry.Claim `json:"claims,omitempty" maxItems:"10000"`
	}
}

type importedOutput struct{ Body registry.Imported }

func putContract(ctx context.Context, d *deed, in *putContractInput) (*importedOutput, error) {
	b := &in.Body
	if _, err := d.findCompany(ctx, d.Account(), int64(b.Company)); err != nil {
		return nil, err
	}
	out, err := d.api.registrar.PutContract(ctx, d.Registry(), &registry.Contract{
		Number: in.Number, Company: account.CompanyID(b.Company), Tier: b.Tier, From: b.From, Until: b.Until, Name: b.Name, Covers: b.Covers, Claims: b.Claims,
	})
	if err != nil {
		return nil, err
	}
	return &importedOutput{Body: *out}, d.note(ctx, account.ContractWrite, "contract "+in.Number, account.CompanyID(b.Company), map[string]any{"until": b.Until, "tier": b.Tier})
}

func deleteContract(ctx context.Context, d *deed, in *contractNumber) (*nothing, error) {
	c, err := d.findContract(ctx, d.Registry(), in.Number)
	if err != nil {
		return nil, err
	}
	if err := d.require(account.ContractWrite, c.Company, "contract"); err != nil {
		return nil, err
	}
	if err := d.Registry().DeleteContract(ctx, c.ID); err != nil {
		return nil, err
	}
	if _, err := d.api.registrar.Recover(ctx, d.Registry(), c.Number); err != nil {
		return nil, err
	}
	return &nothing{}, d.note(ctx, "contract.delete", "contract "+c.Number, c.Company, nil)
}

type importInput struct {
	DryRun  bool   `query:"dry_run" doc:"Only tell what would be done"`
	Replace bool   `query:"replace" doc:"Contracts of the file cover exactly what it says; else what it says is added"`
	Type    string `header:"Content-Type"`
	RawBody []byte `contentType:"text/csv"`
}

func importContracts(ctx context.Context, d *deed, in *importInput) (*importedOutput, error) {
	if media, _, err := mime.ParseMediaType(in.Type); err != nil || media != "text/csv" {
		return nil, status(http.StatusUnsupportedMediaType, callhome.KindInvalid, "send the file as text/csv")
	}
	out, err := d.api.registrar.Import(ctx, d.Registry(), bytes.NewReader(in.RawBody), registry.ImportOptions{
		DryRun: in.DryRun, Replace: in.Replace,
		Company: func(ctx context.Context, name string) (account.CompanyID, error) {
			c, err := d.Account().CompanyByName(ctx, name)
			if err != nil {
				return 0, err
			}
			if !d.Reach().Has(c.ID) {
				return 0, notFound("company")
			}
			return c.ID, nil
		},
	})
	if err != nil {
		return nil, err
	}
	if len(out.Faults) > 0 && !in.DryRun {
		return nil, faulty(out.Faults)
	}
	if in.DryRun {
		d.roomNotes() // nothing was changed
		return &importedOutput{Body: *out}, nil
	}
	return &importedOutput{Body: *out}, d.note(ctx, "contract.import", "contracts", account.NoCompany, map[string]any{"added": out.Added, "changed": out.Changed, "devices": out.Devices})
}

// faulty tells what is wrong with a file, as far as a problem can hold it; a dry run tells all.
func faulty(faults []registry.Fault) error {
	p := status(http.StatusBadRequest, callhome.KindInvalid, fmt.Sprintf("nothing was imported: the file has %d faults", len(faults)))
	for _, f := range faults[:min(len(faults), maxFaults)] {
		p.Errors = append(p.Errors, Fault{Message: shorten(f.Message), Location: shorten(fmt.Sprintf("line %d, %s", f.Line, f.Column))})
	}
	return p
}
