package notify

import "testing"

// TestRegistryNoticesReadAsWritten: several kinds of words share a kind that people choose by.
func TestRegistryNoticesReadAsWritten(t *testing.T) {
	p := postman()
	for name, n := range map[string]Notice{
		"contract_ended":  ContractEnded(3, "K-7781-22", when, 214, when),
		"contact_changed": ContactChanged(subject(), "contact is now ola@acme.example", when),
		"conflict":        ConflictFound(subject(), 77, "was: 192.0.2.1; now: 198.51.100.9 <b>&", when),
		"life_milestone":  LifeMilestone(3, "QX9006 chassis", "EOL-1204", "end of support", when.AddDate(0, 2, 0), 14, "QX9106", when),
	} {
		if n.Key == "" || n.Kind == "" {
			t.Errorf("%s has no key or kind", name)
		}
		n.bounded()
		text, html, err := render(p.view(&n, nil))
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", append([]byte("Subject: "+n.Subject+"\n\n"), text...))
		golden(t, name+".html", html)
	}
}
