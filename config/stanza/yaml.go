package stanza

import (
	"bytes"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// YAML is the configuration as a file: what was not understood stands at its head as comments. Passwords that the
// running configuration holds are in it.
func (im *Imported) YAML() ([]byte, error) {
	var doc yaml.Node
	if err := doc.Encode(&im.Agent); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	callHome := child(&doc, "call_home")
	im.revealPasswords(child(callHome, "mail_servers"))
	flow(child(callHome, "mail_servers"))
	for _, p := range items(child(callHome, "profiles")) {
		flow(child(p, "subscribe"))
	}
	var b bytes.Buffer
	b.WriteString("# Imported from the call-home configuration of " + im.Agent.Device.Personality + ".\n")
	if len(im.Remarks) > 0 {
		b.WriteString("# Not taken over, or to be looked at:\n")
	}
	for _, r := range im.Remarks {
		b.WriteString("#   " + r.String() + "\n")
	}
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return b.Bytes(), nil
}

// child is the value of a key; nil where there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

// flow writes each item of a list on one line.
func flow(list *yaml.Node) {
	for _, item := range items(list) {
		item.Style = yaml.FlowStyle
	}
}

// revealPasswords puts the logins in, which mask themselves when they are encoded.
func (im *Imported) revealPasswords(servers *yaml.Node) {
	for i, item := range items(servers) {
		if p := child(item, "password"); p != nil && i < len(im.Agent.CallHome.MailServers) {
			p.SetString(im.Agent.CallHome.MailServers[i].Password.Reveal())
		}
	}
}
