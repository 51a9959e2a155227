package callhome

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DeviceID names one device: type@Sid@serial, where type is the product model of the chassis, Sid is "C" (the serial
// number is a chassis serial number) and the serial may itself contain "@". Empty when a message is about no device.
type DeviceID string

// MakeDeviceID joins model and chassis serial.
func MakeDeviceID(model, serial string) DeviceID { return DeviceID(model + "@C@" + serial) }

// Parts splits at the first "@" and at the next one; all after that is the serial. ok is false when either is missing.
func (d DeviceID) Parts() (model, sid, serial string, ok bool) {
	model, rest, ok := strings.Cut(string(d), "@")
	if !ok {
		return "", "", "", false
	}
	sid, serial, ok = strings.Cut(rest, "@")
	return model, sid, serial, ok
}

// Serial is the last part, or "" when the ID has no such form.
func (d DeviceID) Serial() string {
	_, _, serial, _ := d.Parts()
	return serial
}

// MessageID names one message, the same in every copy and every retry: M<n>:<serial>:<HEX8> on IOS, without the letter
// on NX-OS. HEX8 is the creation time in seconds.
type MessageID string

// ntpEra is the Unix epoch in seconds since 1900: older IOS counts from there.
const ntpEra = 2208988800

// MakeMessageID builds prefix<n>:<serial>:<HEX8>; prefix is "M" or "G" on IOS and "" on NX-OS.
func MakeMessageID(prefix string, n uint64, serial string, created time.Time) MessageID {
	return MessageID(fmt.Sprintf("%s%d:%s:%08X", prefix, n, serial, uint32(created.Unix())))
}

// Created reads HEX8 in either epoch: values from 0x83AA7E80 on count from 1900. ok is false when there is none.
func (id MessageID) Created() (t time.Time, ok bool) {
	i := strings.LastIndexByte(string(id), ':')
	if i < 0 {
		return time.Time{}, false
	}
	v, err := strconv.ParseUint(string(id[i+1:]), 16, 32)
	if err != nil {
		return time.Time{}, false
	}
	if v >= ntpEra {
		v -= ntpEra
	}
	return time.Unix(int64(v), 0).UTC(), true
}

// ProfileName names a destination profile; names are unique whatever their case. "all" is reserved.
type ProfileName string

// Equal compares without regard to case.
func (n ProfileName) Equal(o ProfileName) bool { return strings.EqualFold(string(n), string(o)) }

// ProfileCiscoTAC is the predefined profile.
const ProfileCiscoTAC ProfileName = "CiscoTAC-1"

// ProfileAnonymous is the profile that carries anonymous reporting.
const ProfileAnonymous ProfileName = "anonymous"
