package ctl

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"callhome"
	"callhome/server/analysis"
)

// RuleFiles says which packs an operator means: files and folders, or the shipped packs where there are none.
type RuleFiles struct {
	Paths   []string
	Keys    string // file of the public keys that are trusted; empty: signatures are not looked at
	Require bool   // unsigned packs are refused
}

// load gives an engine of the packs, with the shipped ones beside them so that their rules can be referred to, and the
// packs themselves.
func (f RuleFiles) load() (*analysis.Engine, []*analysis.Pack, error) {
	trusted, err := f.trusted()
	if err != nil {
		return nil, nil, err
	}
	packs := analysis.Shipped()
	if len(f.Paths) > 0 {
		packs = nil
	}
	for _, path := range f.Paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, nil, &callhome.Error{Kind: callhome.KindInvalid, Path: path, Msg: "cannot be read", Err: err}
		}
		if info.IsDir() {
			found, err := analysis.LoadDir(path, trusted, !f.Require)
			if err != nil {
				return nil, nil, err
			}
			packs = append(packs, found...)
			continue
		}
		p, err := analysis.LoadFile(path, trusted, !f.Require)
		if err != nil {
			return nil, nil, err
		}
		packs = append(packs, p)
	}
	if len(packs) == 0 {
		return nil, nil, callhome.Errorf(callhome.KindNotFound, "no pack there: a folder's packs are called *.yaml")
	}
	engine, err := analysis.New(analysis.WithShipped(packs...)...)
	return engine, packs, err
}

func (f RuleFiles) trusted() ([]analysis.PublicKey, error) {
	if f.Keys == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.Keys)
	if err != nil {
		return nil, &callhome.Error{Kind: callhome.KindInvalid, Path: f.Keys, Msg: "cannot be read", Err: err}
	}
	return analysis.ParsePublicKeys(f.Keys, text)
}

// ruleIDs are the rules of some packs.
func ruleIDs(packs []*analysis.Pack) map[string]bool {
	ids := map[string]bool{}
	for _, p := range packs {
		for _, r := range p.Rules {
			ids[r.ID] = true
		}
	}
	return ids
}

// TestRules runs the samples of packs and prints a row for each rule. Its error is of kind Conflict where a sample failed.
func TestRules(ctx context.Context, out io.Writer, files RuleFiles, asJSON bool) (err error) {
	engine, packs, err := files.load()
	if err != nil {
		return err
	}
	ids := ruleIDs(packs)
	var results []analysis.SampleResult
	for _, r := range analysis.TestSamples(ctx, engine) {
		if ids[r.Rule] {
			results = append(results, r)
		}
	}
	w, flush := output(out)
	defer flush(&err)
	failed, samples := 0, 0
	for _, r := range results {
		samples += r.Positive + r.Negative
		if len(r.Failures) > 0 {
			failed++
		}
	}
	if asJSON {
		if err := json.NewEncoder(w).Encode(map[string]any{"rules": results, "samples": samples, "failed": failed}); err != nil {
			return err
		}
	} else {
		printSampleResults(w, results)
		fmt.Fprintf(w, "\n%d rules, %d samples, %d rules failed\n", len(results), samples, failed)
	}
	if failed > 0 {
		return callhome.Errorf(callhome.KindConflict, "%d of %d rules fail their samples", failed, len(results))
	}
	return nil
}

func printSampleResults(w *bufio.Writer, results []analysis.SampleResult) {
	t := table{columns: []column{{"RULE", 20, 12}, {"PACK", 12, 8}, {"CLASS", 10, 8}, {"PLATFORMS", 10, 8}, {"POSITIVE", 8, 8}, {"NEGATIVE", 8, 8}, {"RESULT", 6, 6}}}
	for _, r := range results {
		verdict := "ok"
		if len(r.Failures) > 0 {
			verdict = "FAILED"
		}
		t.add(r.Rule, r.Pack, string(r.Class), orAll(r.Platforms), fmt.Sprint(r.Positive), fmt.Sprint(r.Negative), verdict)
	}
	t.print(w, defaultWidth)
	for _, r := range results {
		for _, f := range r.Failures {
			fmt.Fprintf(w, "\n%s: %s", r.Rule, oneLine(f))
		}
		if len(r.Failures) > 0 {
			_ = w.WriteByte('\n')
		}
	}
}

func orAll(platforms []string) string {
	if len(platforms) == 0 {
		return "all"
	}
	return strings.Join(platforms, ", ")
}

// ruleObject is what `admin rule list` and `show` print of a rule.
type ruleObject struct {
	ID             string         `json:"id"`
	Name           string         `json:"name"`
	Pack           string         `json:"pack"`
	Version        string         `json:"version"`
	Signer         string         `json:"signer,omitempty"`
	Class          analysis.Class `json:"class"`
	Platforms      []string       `json:"platforms"`
	Outcome        string         `json:"outcome"`
	Level          string         `json:"level,omitempty"`
	State          string         `json:"state"`
	Clears         []string       `json:"clears,omitempty"`
	On             []string       `json:"on,omitempty"`
	Title          string         `json:"title"`
	Diagnosis      string         `json:"diagnosis"`
	Recommendation string         `json:"recommendation,omitempty"`
	References     []string       `json:"references,omitempty"`
	Samples        int            `json:"samples"`
}

func newRuleObject(p *analysis.Pack, r *analysis.Rule) ruleObject {
	o := ruleObject{
		ID: r.ID, Name: r.Name, Pack: p.Name, Version: p.Version, Signer: p.Signer, Class: r.Class, Platforms: r.Match.Platforms,
		Outcome: string(r.Outcome), State: string(r.State), Clears: r.Clears, On: r.Match.On, Title: r.Title,
		Diagnosis: r.Diagnosis, Recommendation: r.Recommendation, References: r.References,
		Samples: len(r.Samples.Positive) + len(r.Samples.Negative),
	}
	if r.Severity != nil {
		o.Level = r.Severity.String()
	}
	return o
}

// ListRules prints the rules of packs, those of one class only where class is given.
func ListRules(out io.Writer, files RuleFiles, class string, asJSON bool) (err error) {
	_, packs, err := files.load()
	if err != nil {
		return err
	}
	rules := []ruleObject{}
	for _, p := range packs {
		for _, r := range p.Rules {
			if class == "" || strings.EqualFold(class, string(r.Class)) {
				rules = append(rules, newRuleObject(p, r))
			}
		}
	}
	w, flush := output(out)
	defer flush(&err)
	if asJSON {
		return json.NewEncoder(w).Encode(rules)
	}
	t := table{columns: []column{{"RULE", 20, 12}, {"CLASS", 10, 8}, {"PLATFORMS", 10, 8}, {"OUTCOME", 10, 8}, {"LEVEL", 8, 5}, {"NAME", 20, 10}}}
	for _, r := range rules {
		t.add(r.ID, string(r.Class), orAll(r.Platforms), r.Outcome, r.Level, r.Name)
	}
	t.print(w, defaultWidth)
	fmt.Fprintf(w, "\n%d rules\n", len(rules))
	return nil
}

// ShowRule prints one rule in full.
func ShowRule(out io.Writer, files RuleFiles, id string, asJSON bool) (err error) {
	engine, _, err := files.load()
	if err != nil {
		return err
	}
	r, p, ok := engine.Rule(id)
	if !ok {
		return callhome.Errorf(callhome.KindNotFound, "there is no rule %q; `callhome admin rule list` has them all", id)
	}
	w, flush := output(out)
	defer flush(&err)
	o := newRuleObject(p, r)
	if asJSON {
		return json.NewEncoder(w).Encode(o)
	}
	for _, line := range [][2]string{
		{"Rule", o.ID}, {"Name", o.Name}, {"Pack", o.Pack + " " + o.Version}, {"Signed by", o.Signer}, {"Class", string(o.Class)},
		{"Platforms", orAll(o.Platforms)}, {"On", strings.Join(o.On, " ")}, {"Outcome", o.Outcome}, {"Level", o.Level}, {"State", o.State},
		{"Clears", strings.Join(o.Clears, " ")}, {"Title", o.Title}, {"Diagnosis", o.Diagnosis}, {"Recommendation", o.Recommendation},
		{"References", strings.Join(o.References, "; ")}, {"Samples", fmt.Sprint(o.Samples)},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "%-15s %s\n", line[0]+":", line[1])
		}
	}
	return nil
}

// SignRules writes the signature of a pack beside it, after its samples were run: nothing broken gets a signature.
func SignRules(ctx context.Context, out io.Writer, pack, keyFile string) error {
	if err := TestRules(ctx, io.Discard, RuleFiles{Paths: []string{pack}}, false); err != nil {
		return err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return &callhome.Error{Kind: callhome.KindInvalid, Path: keyFile, Msg: "cannot be read", Err: err}
	}
	text, err := os.ReadFile(pack)
	if err != nil {
		return err
	}
	signature, public, err := analysis.Sign(text, callhome.NewSecret(string(key)))
	if err != nil {
		return err
	}
	if err := os.WriteFile(pack+analysis.SignatureSuffix, signature, 0o644); err != nil { //nolint:gosec // a signature is public
		return err
	}
	_, err = fmt.Fprintf(out, "%s%s: signed with key %s\n", pack, analysis.SignatureSuffix, public.Fingerprint())
	return err
}

// GenerateRuleKey writes a new key pair: the private key to file, readable by its owner only, the public one to file.pub.
// It overwrites neither.
func GenerateRuleKey(out io.Writer, file, comment string) error {
	private, public, err := analysis.GenerateKey(comment)
	if err != nil {
		return err
	}
	if err := createFile(file, private.Reveal()+"\n", 0o600); err != nil {
		return err
	}
	if err := createFile(file+".pub", public.String()+"\n", 0o644); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: private key, keep it secret\n%s.pub: public key %s, give it to those who trust your packs\n", file, file, public.Fingerprint())
	return err
}

func createFile(path, text string, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return &callhome.Error{Kind: callhome.KindConflict, Path: path, Msg: "cannot be created", Err: err}
	}
	_, err = f.WriteString(text)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
