package syslog_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"callhome/codec/syslog"
)

// brief is a line in one row: what a table expects of it.
func brief(l *syslog.Line) string {
	var b strings.Builder
	put := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", name, value)
		}
	}
	b.WriteString(string(l.Dialect))
	put("sev", map[bool]string{true: fmt.Sprint(int(l.Severity))}[l.Severity.Valid()])
	if n := l.Sequence(); n >= 0 {
		put("seq", fmt.Sprint(n))
	}
	put("host", string(l.Host))
	put("node", string(l.Node))
	var o struct{ Timestamp string }
	if err := json.Unmarshal(l.AppendJSON(nil), &o); err != nil {
		return "bad JSON: " + err.Error()
	}
	put("t", o.Timestamp)
	put("up", string(l.Uptime))
	put("app", string(l.Program))
	put("pid", string(l.PID))
	put("fac", string(l.CoreFacility))
	put("mn", string(l.Mnemonic))
	put("id", string(l.MessageID))
	put("text", string(l.Text))
	return b.String()
}

func parse(raw string) *syslog.Line {
	l := new(syslog.Line)
	new(syslog.Parser).Parse([]byte(raw), received, l)
	return l
}

func checkBrief(t *testing.T, rows [][2]string) {
	t.Helper()
	for _, row := range rows {
		if got := brief(parse(row[0])); got != row[1] {
			t.Errorf("%s\n got %s\nwant %s", row[0], got, row[1])
		}
	}
}

func TestIOS(t *testing.T) {
	checkBrief(t, [][2]string{
		{`<189>29: *Mar  1 00:02:11.411: %SYS-5-CONFIG_I: by vty0`, `ios sev=5 seq=29 t=2026-03-01T00:02:11.411 fac=SYS mn=CONFIG_I text=by vty0`},
		{`<189>30: sw9: 000031: .Jun 12 21:07:15.454 CEST: %LINEPROTO-5-UPDOWN: Gi0/1 down`, `ios sev=5 seq=31 host=sw9 t=2026-06-12T21:07:15.454+02:00 fac=LINEPROTO mn=UPDOWN text=Gi0/1 down`},
		{`<187>31: sw9: Jun 12 2026 21:07:15.454 UTC: %LINK-3-UPDOWN: Gi0/1 down`, `ios sev=3 seq=31 host=sw9 t=2026-06-12T21:07:15.454Z fac=LINK mn=UPDOWN text=Gi0/1 down`},
		{`<188>32: 1d02h: %SNMP-4-NOTRAPIP: no address`, `ios sev=4 seq=32 up=1d02h fac=SNMP mn=NOTRAPIP text=no address`},
		{`<188>32: 00:01:46: %SNMP-4-NOTRAPIP: no address`, `ios sev=4 seq=32 up=00:01:46 fac=SNMP mn=NOTRAPIP text=no address`},
		{`<188>sw9: 14 7: %SNMP-4-NOTRAPIP: no address`, `ios sev=4 host=sw9 up=14 7 fac=SNMP mn=NOTRAPIP text=no address`},
		{`<189>: 2w6d: %SYS-SP-5-RESTART: restarted --`, `ios sev=5 up=2w6d fac=SYS-SP mn=RESTART text=restarted --`},
		{`<187>33: sw2: Jun 12 21:07:15: %IOSXE-3-PLATFORM: R0/0: kernel: error (sw2-1)`, `ios sev=3 seq=33 host=sw2 node=sw2-1 t=2026-06-12T21:07:15 fac=IOSXE mn=PLATFORM text=R0/0: kernel: error (sw2-1)`},
		{`%SYS-5-CONFIG_I: by console`, `ios sev=5 fac=SYS mn=CONFIG_I text=by console`},
		{`<189>31: 6509: 000123: Jun 12 21:07:15: %SYS-5-RELOAD: now`, `ios sev=5 seq=123 host=6509 t=2026-06-12T21:07:15 fac=SYS mn=RELOAD text=now`},
		{`<189>sw9: 30: Jun 12 21:07:15: %SYS-5-RELOAD: now`, `ios sev=5 seq=30 host=sw9 t=2026-06-12T21:07:15 fac=SYS mn=RELOAD text=now`},
		{`<189>31: 2001:db8::5: Jun 12 21:07:15: %SYS-5-RELOAD: now`, `ios sev=5 seq=31 host=2001:db8::5 t=2026-06-12T21:07:15 fac=SYS mn=RELOAD text=now`},
		{`<189>31: 2001:db8::: Jun 12 21:07:15: %SYS-5-RELOAD: now`, `ios sev=5 seq=31 host=2001:db8:: t=2026-06-12T21:07:15 fac=SYS mn=RELOAD text=now`},
		{`<191>45: *Mar  1 00:00:46: OSPF-1 HELLO: sent on Gi0/1`, `ios sev=7 seq=45 t=2026-03-01T00:00:46 text=OSPF-1 HELLO: sent on Gi0/1`},
		{`<189>46: -Traceback= 1A2B 3C4D`, `ios sev=5 seq=46 text=-Traceback= 1A2B 3C4D`},
		{`<189>47: [syslog@9 s_id="sw9:514"]: Jun 12 21:07:15: %SYS-5-RELOAD: now`, `ios sev=5 seq=47 t=2026-06-12T21:07:15 fac=SYS mn=RELOAD text=now`},
		{`<190>%AAA-I-CONNECT: new session`, `ios sev=6 fac=AAA mn=CONNECT text=new session`},
		{`<189>Jun 12 21:07:14 192.0.2.4 812: Jun 12 21:07:13.100 UTC: %SYS-5-RELOAD: now`, `ios sev=5 seq=812 host=192.0.2.4 t=2026-06-12T21:07:13.100Z fac=SYS mn=RELOAD text=now`},
		{`<189>Jun 12 21:07:14 relay1 812: sw9: Jun 12 21:07:13: %SYS-5-RELOAD: now`, `ios sev=5 seq=812 host=sw9 t=2026-06-12T21:07:13 fac=SYS mn=RELOAD text=now`},
		{`<13>Jun 12 21:07:14 relay1 <189>812: sw9: Jun 12 21:07:13: %SYS-3-CPUHOG: long`, `ios sev=3 seq=812 host=sw9 t=2026-06-12T21:07:13 fac=SYS mn=CPUHOG text=long`},
		{`<189>9: 6sw: Jun 12 2026 21:07:13 METDST: %SYS-5-RELOAD: now`, `ios sev=5 seq=9 host=6sw t=2026-06-12T21:07:13 fac=SYS mn=RELOAD text=now`},
		{`<189>: 6sw Jun 12 21:07:13 PDT: %SYS-5-RELOAD : now`, `ios sev=5 host=6sw t=2026-06-12T21:07:13-07:00 fac=SYS mn=RELOAD text=now`},
		{`<189>9: 6sw 8: Jun 12 21:07:13: %SYS-5-RELOAD: now`, `ios sev=5 seq=8 host=6sw t=2026-06-12T21:07:13 fac=SYS mn=RELOAD text=now`},
		{`Jun 12 21:07:13 sw9 89: %SYS-5-RELOAD: now`, `ios sev=5 seq=89 host=sw9 t=2026-06-12T21:07:13 fac=SYS mn=RELOAD text=now`},
		{`Jun 12 21:07:13 192.0.2.1 89: SW9: *Jun 12 21:07:12.9 AEST: %SYS-5-RELOAD: now`, `ios sev=5 seq=89 host=SW9 t=2026-06-12T21:07:12.9+10:00 fac=SYS mn=RELOAD text=now`},
		{`2026-06-12T11:09:36+02:00 sw9.example : 2026 Jun  9 11:09:36.290 CET: %ETHPORT-5-IF_DOWN: x`, `nxos sev=5 host=sw9.example t=2026-06-09T11:09:36.290+01:00 fac=ETHPORT mn=IF_DOWN text=x`},
		{`Jun 12 10:13:57 gw.example local3.notice: gw9: 2026 Jun 12 15:13:57.637 UTC: %ETHPORT-5-IF_DOWN: x`, `nxos sev=5 host=gw9 t=2026-06-12T15:13:57.637Z fac=ETHPORT mn=IF_DOWN text=x`},
		{`<190>Original Address=192.0.2.1 1 2026-06-12T16:13:32.168Z log1 Kiwi 33 OUT SW9: *Jun 12 15:52:38.534: %SYS-6-LOGOUT: bye`, `rfc5424 sev=6 host=SW9 t=2026-06-12T16:13:32.168Z app=Kiwi pid=33 fac=SYS mn=LOGOUT id=OUT text=bye`},
		{`<189>%Hal_poe-A-PoeFail: off`, `ios sev=1 fac=Hal_poe mn=PoeFail text=off`},
		{`<189>Jun 12 21:07:14 sw9 %SYS-5-CONFIG_I: by vty0`, `ios sev=5 host=sw9 t=2026-06-12T21:07:14 fac=SYS mn=CONFIG_I text=by vty0`},
		{`<189>Jun 12 21:07:14 sw9: %SYS-5-CONFIG_I : by vty0`, `ios sev=5 host=sw9 t=2026-06-12T21:07:14 fac=SYS mn=CONFIG_I text=by vty0`},
		{`<189><ios-log-msg><facility>SYS</facility><severity>5</severity><msg-id>CONFIG_I</msg-id><seq>12</seq><args>by vty0</args></ios-log-msg>`, `ios sev=5 seq=12 fac=SYS mn=CONFIG_I text=by vty0`},
	})
}

func TestOtherCisco(t *testing.T) {
	checkBrief(t, [][2]string{
		{`<187>94: gw1 LC/0/2/CPU0:Jun 12 20:16:14.834 : ifmgr[214]: %PKT_INFRA-LINK-3-UPDOWN : Te0/2 Down`, `iosxr sev=3 seq=94 host=gw1 node=LC/0/2/CPU0 t=2026-06-12T20:16:14.834 app=ifmgr pid=214 fac=PKT_INFRA-LINK mn=UPDOWN text=Te0/2 Down`},
		{`<190>RP/0/RP0/CPU0:*Jun 12 2026 21:07:15.1 UTC: config[65]: %MGBL-SYS-5-CONFIG_I : by ops`, `iosxr sev=5 node=RP/0/RP0/CPU0 t=2026-06-12T21:07:15.1Z app=config pid=65 fac=MGBL-SYS mn=CONFIG_I text=by ops`},
		{`0/RP0/ADMIN0:Jun 12 21:07:15.454 UTC: envmon[3521]: %PKT_INFRA-FM-3-FAULT_MAJOR : ALARM_MAJOR :Fan :CLEAR :0/FT1:`, `iosxr sev=3 node=0/RP0/ADMIN0 t=2026-06-12T21:07:15.454Z app=envmon pid=3521 fac=PKT_INFRA-FM mn=FAULT_MAJOR text=ALARM_MAJOR :Fan :CLEAR :0/FT1:`},
		{`<190>7: gw1 RP/0/RSP0/CPU0:Jun 12 21:07:15.454 : bgp[9]: walker started`, `iosxr sev=6 seq=7 host=gw1 node=RP/0/RSP0/CPU0 t=2026-06-12T21:07:15.454 app=bgp pid=9 text=walker started`},
		{`<189>: 2026 Jun 12 21:07:15 UTC: %ETHPORT-5-IF_UP: Eth1/3 up`, `nxos sev=5 t=2026-06-12T21:07:15Z fac=ETHPORT mn=IF_UP text=Eth1/3 up`},
		{`<190>leaf1: 2026 Jun 12 21:07:15.454 CEST: %DAEMON-3-SYSTEM_MSG: ftp off - xinetd[49]`, `nxos sev=3 host=leaf1 t=2026-06-12T21:07:15.454+02:00 app=xinetd pid=49 fac=DAEMON mn=SYSTEM_MSG text=ftp off - xinetd[49]`},
		{`<190>2026 Apr 20 13:15:07 leaf1 %ETHPORT-5-IF_DOWN: Eth1/3 down`, `nxos sev=5 host=leaf1 t=2026-04-20T13:15:07 fac=ETHPORT mn=IF_DOWN text=Eth1/3 down`},
		{`<189>: 2026 Jun 12 21:07:15 UTC: %PLATFORM-2-PFM_RESET: %$ VDC-1 %$ Module 3`, `nxos sev=2 node=VDC-1 t=2026-06-12T21:07:15Z fac=PLATFORM mn=PFM_RESET text=Module 3`},
		{`<189>: 2026 Jun 12 21:07:15 UTC: %$ VDC-2 %$ %PLATFORM-2-PFM_RESET: Module 3`, `nxos sev=2 node=VDC-2 t=2026-06-12T21:07:15Z fac=PLATFORM mn=PFM_RESET text=Module 3`},
		{`<111> Jun 12 21:07:15 leaf1 %MODULE-5-MOD_OK: Module 1`, `nxos sev=5 host=leaf1 t=2026-06-12T21:07:15 fac=MODULE mn=MOD_OK text=Module 1`},
		{`<164>Jun 12 2026 21:07:15: %ASA-4-106023: Deny tcp`, `asa sev=4 t=2026-06-12T21:07:15 fac=ASA mn=106023 id=106023 text=Deny tcp`},
		{`<166>2026-06-12T21:07:15Z fw-a : %ASA-6-302014: Teardown`, `asa sev=6 host=fw-a t=2026-06-12T21:07:15Z fac=ASA mn=302014 id=302014 text=Teardown`},
		{`<165>:Jun 12 21:07:15 UTC: %ASA-session-5-111008: User`, `asa sev=5 t=2026-06-12T21:07:15Z fac=ASA-session mn=111008 id=111008 text=User`},
		{`<162>Jun 12 2026 21:07:15 CORE : %ASA-2-106001: denied`, `asa sev=2 host=CORE t=2026-06-12T21:07:15 fac=ASA mn=106001 id=106001 text=denied`},
		{`<162>Jun 12 2026 21:07:15 CORE: %ASA-2-106001: denied`, `asa sev=2 host=CORE t=2026-06-12T21:07:15 fac=ASA mn=106001 id=106001 text=denied`},
		{`<162>Jun 12 2026 21:07:15 ctx/fw-a : %ASA-2-106001: denied`, `asa sev=2 host=ctx/fw-a t=2026-06-12T21:07:15 fac=ASA mn=106001 id=106001 text=denied`},
		{`<189>: 2026 Jun 12 21:07:15 UTC: last message repeated 3 times`, `nxos sev=5 t=2026-06-12T21:07:15Z text=last message repeated 3 times`},
		{`<190>July 12 22:45:28 apic1 %LOG_LOCAL0-6-SYSTEM_MSG [E4208219][change][info][subj-[uni/fabric]/mod-1] up`, `nxos sev=6 host=apic1 node=subj-[uni/fabric]/mod-1 t=2026-07-12T22:45:28 fac=LOG_LOCAL0 mn=SYSTEM_MSG id=E4208219 text=[E4208219][change][info][subj-[uni/fabric]/mod-1] up`},
		{`<162>%ASA-2-106001: denied`, `asa sev=2 fac=ASA mn=106001 id=106001 text=denied`},
		{`fw-a : %PIX-7-710001: TCP`, `asa sev=7 host=fw-a fac=PIX mn=710001 id=710001 text=TCP`},
		{`<163>Jun 12 21:07:15 fw-a CiscoASA[999]: %ASA-3-1060141: Deny`, `asa sev=3 host=fw-a t=2026-06-12T21:07:15 app=CiscoASA pid=999 fac=ASA mn=1060141 id=1060141 text=Deny`},
		{`<163>Jun 12 21:07:15 192.0.2.4 Jun 12 2026 21:07:14 fw-a : %FTD-3-106014: Deny`, `asa sev=3 host=fw-a t=2026-06-12T21:07:14 fac=FTD mn=106014 id=106014 text=Deny`},
		{`<163>%ASA-9-106014: level out of range`, `asa sev=3 fac=ASA mn=106014 id=106014 text=level out of range`},
		{`<187>: 2026 Jun 12 10:33:18 CET: %UCSM-3-LINK_DOWN: [F0276][major][link-down][sys/switch-A/slot-1] down`, `ucs sev=3 node=sys/switch-A/slot-1 t=2026-06-12T10:33:18+01:00 fac=UCSM mn=LINK_DOWN id=F0276 text=[F0276][major][link-down][sys/switch-A/slot-1] down`},
		{`<189>Jun 12 17:11:12 UTC: %CIMC-6-LOG_CAPACITY: [F0461][info][log][sys/rack] low`, `ucs sev=6 node=sys/rack t=2026-06-12T17:11:12Z fac=CIMC mn=LOG_CAPACITY id=F0461 text=[F0461][info][log][sys/rack] low`},
		{`<11>June 12 22:45:28 apic1 %LOG_LOCAL0-2-SYSTEM_MSG [F0110][soaking][down][critical][topology/pod-1] lost`, `nxos sev=2 host=apic1 node=topology/pod-1 t=2026-06-12T22:45:28 fac=LOG_LOCAL0 mn=SYSTEM_MSG id=F0110 text=[F0110][soaking][down][critical][topology/pod-1] lost`},
		{`<186>Jun 12 12:23:19 fp1 FPRM: <<%FPRM-2-NO_VERSION>> [F1309][critical][none][org-root/fw] empty`, `fxos sev=2 host=fp1 node=org-root/fw t=2026-06-12T12:23:19 app=FPRM fac=FPRM mn=NO_VERSION id=F1309 text=[F1309][critical][none][org-root/fw] empty`},
		{`<132>wlc1: *spamApTask1: Jun 12 18:52:01.958: %CAPWAP-4-DISC_ERR2: [PA]ac_sm.c:2053 ignored`, `aireos sev=4 host=wlc1 node=PA t=2026-06-12T18:52:01.958 app=spamApTask1 fac=CAPWAP mn=DISC_ERR2 text=[PA]ac_sm.c:2053 ignored`},
		{`<132>wlc1: *dot1xTask: Jun 12 18:52:01.958: #DOT1X-3-RETRIES: gave up`, `aireos sev=3 host=wlc1 t=2026-06-12T18:52:01.958 app=dot1xTask fac=DOT1X mn=RETRIES text=gave up`},
		{`<133>wlc1: -Traceback: 0x1 0x2`, `aireos sev=5 host=wlc1 text=-Traceback: 0x1 0x2`},
		{`<134>1 1781384835.774247467 mx1 events type=vpn_change peer='192.0.2.9:5'`, `meraki sev=6 host=mx1 t=2026-06-13T21:07:15.774247467Z app=events fac=events mn=vpn_change text=type=vpn_change peer='192.0.2.9:5'`},
		{`Jun 13 21:07:15 192.0.2.3 1 1781384835.7 mx1 flows src=192.0.2.1`, `meraki host=mx1 t=2026-06-13T21:07:15.7Z app=flows mn=flows text=src=192.0.2.1`},
		{`<181>Jun 12 21:07:15 ise1 CISE_Passed 0001939 4 0 2026-06-12 23:07:15.5 +02:00 0042 5200 NOTICE Passed: ok, A=1, B=2`, `ise sev=5 seq=42 host=ise1 t=2026-06-12T23:07:15.5+02:00 app=CISE_Passed id=5200 text=Passed: ok, A=1, B=2`},
		{`<181>Jun 12 21:07:15 ise1 CISE_Alarm ERROR: disk full`, `ise sev=3 host=ise1 t=2026-06-12T21:07:15 app=CISE_Alarm text=ERROR: disk full`},
		{`<189>Jun 12 21:07:15 edge VMAN[91]: %Viptela-dc-3-east-sysmgrd-6-INFO-1400002: Notification: x`, `rfc3164 sev=6 host=edge t=2026-06-12T21:07:15 app=VMAN pid=91 fac=Viptela mn=INFO-1400002 id=1400002 text=Notification: x`},
		{`<187>4: cu-a: Jun 12 2026 21:07:15.454 UTC :  %UC_CM-3-DeviceGone: %[Name=SEP1][App ID=Cisco CM][NodeID=cu-a]: gone`, `ucm sev=3 seq=4 host=cu-a t=2026-06-12T21:07:15.454Z app=Cisco CM fac=UC_CM mn=DeviceGone text=gone`},
		{`<128>100: Jun 12 19:20:10.209 UTC: %MIVR-GENERIC-1-ModuleFailure: down`, `ucm sev=1 seq=100 t=2026-06-12T19:20:10.209Z fac=MIVR-GENERIC mn=ModuleFailure text=down`},
		{`11: app1: *Jun 12 2026 21:07:15.454 +0200: %TOOL-4-BAD_REQUEST: %[comp=parser]: refused`, `ciscolog sev=4 seq=11 host=app1 t=2026-06-12T21:07:15.454+02:00 fac=TOOL mn=BAD_REQUEST text=refused`},
		{`11: app1: Jun 12 2026 21:07:15.454 UTC: %TOOLBOX-4-BAD_REQUEST: refused`, `ciscolog sev=4 seq=11 host=app1 t=2026-06-12T21:07:15.454Z fac=TOOLBOX mn=BAD_REQUEST text=refused`},
	})
}

func TestOtherMakers(t *testing.T) {
	checkBrief(t, [][2]string{
		{`<172>Jun 12 08:41:59 mx1 rpd[130]: BGP_PREFIX_LIMIT: 192.0.2.1 over`, `junos sev=4 host=mx1 t=2026-06-12T08:41:59 app=rpd pid=130 mn=BGP_PREFIX_LIMIT text=192.0.2.1 over`},
		{`<28>Jun 12 21:07:15.454 2026 mx1 alarmd[42]: %DAEMON-4-ALARM_SET: Alarm set: PEM 1`, `junos sev=4 host=mx1 t=2026-06-12T21:07:15.454 app=alarmd pid=42 fac=DAEMON mn=ALARM_SET text=Alarm set: PEM 1`},
		{`<4>Jun 12 21:23:00 mx1-re0 /kernel: tcp_auth_ok: Packet`, `junos sev=4 host=mx1-re0 node=re0 t=2026-06-12T21:23:00 app=/kernel text=tcp_auth_ok: Packet`},
		{`<4>Jun 12 21:23:00 re1.mx1 fpc2 NH: failed`, `junos sev=4 host=mx1 node=fpc2 t=2026-06-12T21:23:00 app=fpc2 mn=NH text=failed`},
		{`<165>1 2026-06-12T21:07:15.454Z mx1 mgd 3046 UI_LOGOUT [junos@2636.1.1.1.2.18 username="ops"] bye`, `rfc5424 sev=5 host=mx1 t=2026-06-12T21:07:15.454Z app=mgd pid=3046 mn=UI_LOGOUT id=UI_LOGOUT text=bye`},
		{`<165>1 2026-06-12T21:07:15.454Z mib2d[14]: SNMP_TRAP_LINK_UP: ge-0/0/1`, `junos sev=5 t=2026-06-12T21:07:15.454Z app=mib2d pid=14 mn=SNMP_TRAP_LINK_UP text=ge-0/0/1`},
		{`<165>Jun 12 22:22:35 sw1 Bfd: %BFD-5-STATE_CHANGE: down`, `eos sev=5 host=sw1 t=2026-06-12T22:22:35 app=Bfd fac=BFD mn=STATE_CHANGE text=down`},
		{`<166>Jun 12 2026 21:07:15 sw1 Rib: 42: %AGENT-6-INITIALIZED: up`, `eos sev=6 seq=42 host=sw1 t=2026-06-12T21:07:15 app=Rib fac=AGENT mn=INITIALIZED text=up`},
		{`<166> 2026-06-12T21:07:15Z ProcMgr-worker: %PROCMGR-6-WARM: up`, `eos sev=6 t=2026-06-12T21:07:15Z app=ProcMgr-worker fac=PROCMGR mn=WARM text=up`},
		{`<189>Jun 12 2026 21:07:15+02:00 sw1 %%01IFNET/4/IF_STATE(l)[4]:down`, `rfc3164 sev=4 seq=4 host=sw1 t=2026-06-12T21:07:15+02:00 fac=IFNET mn=IF_STATE text=down`},
		{`<189>Jun 12 21:07:15 2026 sw1 %%10IFNET/3/LINK_UPDOWN: down`, `rfc3164 sev=3 host=sw1 t=2026-06-12T21:07:15 fac=IFNET mn=LINK_UPDOWN text=down`},
		{`<14> Jun 12 21:07:15 192.0.2.5 00077 ports: port 5 is off`, `rfc3164 sev=6 host=192.0.2.5 t=2026-06-12T21:07:15 app=ports id=00077 text=port 5 is off`},
		{`<189>Jun 12 21:07:15 sw1 <Noti:AAA.LogSsh> login`, `rfc3164 sev=5 host=sw1 t=2026-06-12T21:07:15 fac=AAA mn=LogSsh text=login`},
		{`<189>date=2026-06-12 time=21:07:15 devname="fw" logid="0100032001" level="notice" tz="+0200"`, `unknown sev=5 host=fw t=2026-06-12T21:07:15+02:00 id=0100032001 text=date=2026-06-12 time=21:07:15 devname="fw" logid="0100032001" level="notice" tz="+0200"`},
		{`<134>Jun 12 21:07:15 lb1 notice mcpd[10]: 01070638:5: Pool down`, `rfc3164 sev=5 host=lb1 t=2026-06-12T21:07:15 app=mcpd pid=10 id=01070638 text=Pool down`},
		{`<134>Jun 12 21:07:15 fw CEF:0|Maker|Box|1|4711|Event|5|src=192.0.2.1`, `rfc3164 sev=6 host=fw t=2026-06-12T21:07:15 id=4711 text=CEF:0|Maker|Box|1|4711|Event|5|src=192.0.2.1`},
		{`<134>Jun 12 21:07:15 fw 1,2026/06/12 21:07:15,007,SYSTEM,general,0,x,,ev,ob,0,0,general,high,"text"`, `rfc3164 sev=3 host=fw t=2026-06-12T21:07:15 fac=SYSTEM mn=general text=1,2026/06/12 21:07:15,007,SYSTEM,general,0,x,,ev,ob,0,0,general,high,"text"`},
		{`<134>Jun 12 21:07:15 [f1:disk.fail:error]: Disk 3`, `rfc3164 sev=3 host=f1 t=2026-06-12T21:07:15 mn=disk.fail text=Disk 3`},
	})
}

func TestStandards(t *testing.T) {
	checkBrief(t, [][2]string{
		{`<165>1 2026-06-12T21:07:15.454321Z h1 app 47 ID7 [o ip="192.0.2.1"] peer down`, `rfc5424 sev=5 host=h1 t=2026-06-12T21:07:15.454321Z app=app pid=47 mn=ID7 id=ID7 text=peer down`},
		{`<14>1 - - - - - -`, `rfc5424 sev=6`},
		{`<13>1 2026-06-12t23:07:15.123456789+02:00 2001:db8::1 app - - [broken text`, `rfc5424 sev=5 host=2001:db8::1 t=2026-06-12T23:07:15.123456789+02:00 app=app text=[broken text`},
		{`<13>1 2026-06-12T23:07:60Z h1 app - ID9 no data here`, `rfc5424 sev=5 host=h1 t=2026-06-12T23:07:59Z app=app mn=ID9 id=ID9 text=no data here`},
		{"<13>1 2026-06-12T23:07:15Z h1 app - - - \xef\xbb\xbf%SYS-5-CONFIG_I: by vty0", `rfc5424 sev=5 host=h1 t=2026-06-12T23:07:15Z app=app fac=SYS mn=CONFIG_I text=by vty0`},
		{`<34>Jun 12 21:07:15 fw-a su[211]: failure`, `rfc3164 sev=2 host=fw-a t=2026-06-12T21:07:15 app=su pid=211 text=failure`},
		{`<13>Jun  3 01:02:03 192.0.2.7 message without tag`, `rfc3164 sev=5 host=192.0.2.7 t=2026-06-03T01:02:03 text=message without tag`},
		{`<13>Jun 3 01:02:03 h1 /usr/sbin/cron[9]: run`, `rfc3164 sev=5 host=h1 t=2026-06-03T01:02:03 app=/usr/sbin/cron pid=9 text=run`},
		{`<13>2026-06-12T21:07:15.454321+02:00 h1 sshd[99]: text`, `rfc3164 sev=5 host=h1 t=2026-06-12T21:07:15.454321+02:00 app=sshd pid=99 text=text`},
		{`<30>Jun 12 21:07:15 prog: host missing`, `rfc3164 sev=6 t=2026-06-12T21:07:15 app=prog text=host missing`},
		{`<30>août 12 21:07:15 h1 prog: text`, `rfc3164 sev=6 host=h1 t=2026-08-12T21:07:15 app=prog text=text`},
		{`<30>JUN 12 2026 21:07:15 UTC h1 prog: text`, `rfc3164 sev=6 host=h1 t=2026-06-12T21:07:15Z app=prog text=text`},
		{`<30>Jun 12 21:07:15 h1 last message repeated 3 times`, `rfc3164 sev=6 host=h1 t=2026-06-12T21:07:15 text=last message repeated 3 times`},
		{`<30>Jun 12 21:07:15 user.info h1 prog: text`, `rfc3164 sev=6 host=h1 t=2026-06-12T21:07:15 app=prog text=text`},
		{`<30>Jun 12 21:07:15 h1 watcher[9]: it printed: %SYS-5-CONFIG_I: quoted`, `rfc3164 sev=6 host=h1 t=2026-06-12T21:07:15 app=watcher pid=9 text=it printed: %SYS-5-CONFIG_I: quoted`},
		{`<30>the switch said %SYS-5-CONFIG_I: quoted`, `unknown sev=6 text=the switch said %SYS-5-CONFIG_I: quoted`},
		{`something else entirely`, `unknown text=something else entirely`},
		{``, `unknown`}, {`<13>`, `unknown sev=5`},
		{`2026-06-12 21:07:15,980 WARN a program's own log`, `unknown t=2026-06-12T21:07:15.980 text=WARN a program's own log`},
	})
}

func TestPRI(t *testing.T) {
	for _, tc := range []struct {
		raw  string
		pri  int16
		flag syslog.Flags
		text string
	}{
		{`<0>x`, 0, 0, "x"}, {`<191>x`, 191, 0, "x"}, {`<192>x`, -1, syslog.FlagPRIForm, "x"},
		{`<013>x`, 13, syslog.FlagPRIForm, "x"}, {`<>x`, -1, syslog.FlagPRIForm, "x"}, {`<1234>x`, -1, syslog.FlagPRIForm, "x"},
		{`<13>   x`, 13, 0, "x"}, {`<13x`, -1, 0, "<13x"}, {`<abc>x`, -1, 0, "<abc>x"},
	} {
		l := parse(tc.raw)
		if l.PRI != tc.pri || l.Flags != tc.flag || string(l.Text) != tc.text {
			t.Errorf("%s: got %d %v %q", tc.raw, l.PRI, l.Flags.Names(), l.Text)
		}
	}
}

func TestClock(t *testing.T) {
	pinned := &syslog.Parser{Pinned: syslog.IOS}
	for _, tc := range []struct {
		raw  string
		p    *syslog.Parser
		want syslog.Clock
	}{
		{`<189>1: *Jun 12 21:07:15: %SYS-5-RELOAD: x`, nil, syslog.ClockUnsynchronised},
		{`<189>1: .Jun 12 21:07:15: %SYS-5-RELOAD: x`, nil, syslog.ClockWasSynchronised},
		{`<189>1: Jun 12 21:07:15: %SYS-5-RELOAD: x`, nil, syslog.ClockUnstated},
		{`<189>1: Jun 12 21:07:15: %SYS-5-RELOAD: x`, pinned, syslog.ClockSynchronised},
		{`<189>1: %SYS-5-RELOAD: x`, pinned, syslog.ClockUnstated},
		{`<189>1: *Mar  1 1993 00:00:15: %SYS-5-RELOAD: x`, nil, syslog.ClockNone},
		{`<189>1: 00:00:15: %SYS-5-RELOAD: x`, nil, syslog.ClockNone},
		{`<189>w1: *task: Jun 12 21:07:15.1: %SYS-5-RELOAD: x`, nil, syslog.ClockUnstated},
		{`<189>1 - h a - - [timeQuality isSynced="1"] x`, nil, syslog.ClockSynchronised},
		{`<189>1 - h a - - [timeQuality isSynced="0"] x`, nil, syslog.ClockUnsynchronised},
	} {
		p := tc.p
		if p == nil {
			p = new(syslog.Parser)
		}
		var l syslog.Line
		p.Parse([]byte(tc.raw), received, &l)
		if l.Clock != tc.want {
			t.Errorf("%s: got %s, want %s", tc.raw, l.Clock, tc.want)
		}
	}
}

func TestYearAndZone(t *testing.T) {
	newYear := time.Date(2027, 1, 1, 0, 0, 30, 0, time.UTC)
	lisbon := time.FixedZone("", 3600)
	for _, tc := range []struct {
		p        syslog.Parser
		received time.Time
		raw      string
		want     time.Time
		flags    syslog.Flags
	}{
		{syslog.Parser{}, newYear, `<13>Dec 31 23:59:59 h p: x`, time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC), syslog.FlagYearInferred | syslog.FlagTZMissing},
		{syslog.Parser{}, newYear.Add(-time.Minute), `<13>Jan  1 00:00:01 h p: x`, time.Date(2027, 1, 1, 0, 0, 1, 0, time.UTC), syslog.FlagYearInferred | syslog.FlagTZMissing},
		{syslog.Parser{}, newYear, `<13>Feb 29 00:00:01 h p: x`, time.Date(2028, 2, 29, 0, 0, 1, 0, time.UTC), syslog.FlagYearInferred | syslog.FlagTZMissing},
		{syslog.Parser{Year: syslog.YearPast}, received, `<13>Jul  1 00:00:01 h p: x`, time.Date(2025, 7, 1, 0, 0, 1, 0, time.UTC), syslog.FlagYearInferred | syslog.FlagTZMissing},
		{syslog.Parser{Zone: lisbon}, received, `<13>Jun 12 2026 10:00:00 h p: x`, time.Date(2026, 6, 12, 9, 0, 0, 0, time.UTC), syslog.FlagTZMissing},
		{syslog.Parser{}, received, `<189>1: Jun 12 2026 10:00:00 IST: %SYS-5-RELOAD: x`, time.Date(2026, 6, 12, 10, 0, 0, 0, time.UTC), syslog.FlagTZUnknown},
		{syslog.Parser{Zones: map[string]int{"IST": 19800}}, received, `<189>1: Jun 12 2026 10:00:00 IST: %SYS-5-RELOAD: x`, time.Date(2026, 6, 12, 4, 30, 0, 0, time.UTC), 0},
		{syslog.Parser{}, received, `<13>Jun 31 2026 10:00:00 h p: x`, time.Time{}, syslog.FlagTimeInvalid},
		{syslog.Parser{}, received, `<13>Jun 12 2026 25:00:00 h p: x`, time.Time{}, syslog.FlagTimeInvalid},
	} {
		var l syslog.Line
		tc.p.Parse([]byte(tc.raw), tc.received, &l)
		if !l.Time.Equal(tc.want) || l.Flags != tc.flags {
			t.Errorf("%s: got %v %v, want %v %v", tc.raw, l.Time, l.Flags.Names(), tc.want, tc.flags.Names())
		}
	}
}

func TestPinned(t *testing.T) {
	for _, tc := range []struct {
		pinned, want syslog.Dialect
		raw          string
	}{
		{syslog.NXOS, syslog.NXOS, `<189>Jun 12 21:07:15: %SYS-5-RELOAD: now`},
		{"", syslog.IOS, `<189>Jun 12 21:07:15: %SYS-5-RELOAD: now`},
		{syslog.NXOS, syslog.ASA, `<189>Jun 12 2026 21:07:15: %ASA-5-111008: now`},
		{syslog.Junos, syslog.Junos, `<30>Jun 12 21:07:15 mx1 newd[4]: text`},
		{"", syslog.RFC3164, `<30>Jun 12 21:07:15 mx1 newd[4]: text`},
		{syslog.IOS, syslog.IOS, `1: h: Jun 12 2026 21:07:15.454 UTC: %TOOLBOX-5-RELOAD: now`},
		{"", syslog.CiscoLog, `1: h: Jun 12 2026 21:07:15.454 UTC: %TOOLBOX-5-RELOAD: now`},
		{syslog.UCM, syslog.CiscoLog, `1: h: Jun 12 2026 21:07:15.454 UTC: %SYS-5-RELOAD: now`},
	} {
		var l syslog.Line
		p := syslog.Parser{Pinned: tc.pinned}
		p.Parse([]byte(tc.raw), received, &l)
		if l.Dialect != tc.want {
			t.Errorf("pinned %q, %s: got %s, want %s", tc.pinned, tc.raw, l.Dialect, tc.want)
		}
	}
}
