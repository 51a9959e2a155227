package personality

import "callhome"

// The addresses of the predefined profile; an operator replaces them by those of the own back end.
const (
	tacEmail = "callhome@cisco.com"
	tacURL   = "https://tools.cisco.com/its/service/oddce/services/DDCEService"
)

func level(l callhome.Level) *callhome.Level { return &l }

func size(n int) *int { return &n }

// monthly leaves day and hour to the device.
func monthly() *callhome.Periodic { return &callhome.Periodic{Monthly: &callhome.Monthly{}} }

// daily leaves the hour to the device.
func daily() *callhome.Periodic { return &callhome.Periodic{Daily: &callhome.Daily{}} }

// ciscoTAC is the predefined profile with a platform's subscriptions. It is never active until someone enables it.
func ciscoTAC(subscribe ...callhome.Subscription) callhome.Profile {
	return callhome.Profile{
		Name:       callhome.ProfileCiscoTAC,
		Format:     callhome.FormatXML,
		HTTP:       []string{tacURL},
		Subscribe:  subscribe,
		Predefined: true,
	}
}
