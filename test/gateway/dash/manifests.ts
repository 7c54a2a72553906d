/** Hand-written MPDs, as packagers in the field write them. Each has relative references only, unless its name says otherwise. */

/** Two periods, templates at every level, bases below the MPD's own. */
export const MULTI_PERIOD = `<?xml version="1.0" encoding="UTF-8"?>
<!-- packaged for a test -->
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011" type="static" mediaPresentationDuration="PT12S" minBufferTime="PT2S">
  <ProgramInformation moreInformationURL="https://broadcaster.example/about"><Title>A &amp; B</Title></ProgramInformation>
  <BaseURL>media/</BaseURL>
  <Period id="one" duration="PT6S">
    <BaseURL>first/</BaseURL>
    <SegmentTemplate timescale="1000" duration="2000" startNumber="1" media="$RepresentationID$/$Number%05d$.m4s" initialization="$RepresentationID$/init.mp4"/>
    <AdaptationSet mimeType="video/mp4">
      <Representation id="v1" bandwidth="500000" width="640" height="360" codecs="avc1.42c01e"/>
      <Representation id="v2" bandwidth="900000" width="640" height="360" codecs="avc1.42c01e"><BaseURL>hd/</BaseURL></Representation>
    </AdaptationSet>
  </Period>
  <Period id="two" duration="PT6S">
    <AdaptationSet mimeType="video/mp4">
      <SegmentTemplate timescale="1000" media="../ads/$Bandwidth$/$Time$.m4s" initialization="../ads/$Bandwidth$/init.mp4">
        <SegmentTimeline><S t="0" d="2000" r="2"/></SegmentTimeline>
      </SegmentTemplate>
      <Representation id="v1" bandwidth="500000" width="640" height="360" codecs="avc1.42c01e"/>
    </AdaptationSet>
    <AdaptationSet mimeType="audio/mp4" lang="en">
      <Representation id="a1" bandwidth="64000" codecs="mp4a.40.2" audioSamplingRate="48000">
        <SegmentTemplate timescale="1000" duration="2000" startNumber="0" media="audio-$Number$.m4s?part=$$1" initialization="audio-init.mp4"/>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>`;

export const SEGMENT_LIST = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT6S" minBufferTime="PT2S" profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="500000" codecs="avc1.42c01e"><SegmentList timescale="1" duration="2"><Initialization sourceURL="list/init.mp4"/><SegmentURL media="list/one.m4s"/><SegmentURL media="list/two.m4s"/><SegmentURL media="list/three.m4s"/></SegmentList></Representation></AdaptationSet></Period></MPD>`;

export const SEGMENT_BASE = `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT6S" minBufferTime="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">
  <Period>
    <AdaptationSet mimeType="video/mp4" subsegmentAlignment="true">
      <Representation id="1" bandwidth="500000" codecs="avc1.42c01e">
        <BaseURL>video 360p.mp4</BaseURL>
        <SegmentBase indexRange="700-900"><Initialization range="0-699"/></SegmentBase>
      </Representation>
    </AdaptationSet>
    <AdaptationSet mimeType="audio/mp4" lang="en">
      <Representation id="2" bandwidth="64000" codecs="mp4a.40.2">
        <BaseURL>sound/audio.mp4</BaseURL>
        <SegmentBase indexRange="700-900"><Initialization range="0-699"/></SegmentBase>
      </Representation>
    </AdaptationSet>
  </Period>
</MPD>
`;

/** Low-latency, with clocks, a location, a patch location and the origin's own (unlocated) steering. */
export const LIVE = `<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" profiles="urn:mpeg:dash:profile:isoff-live:2011" availabilityStartTime="1970-01-01T00:00:00Z" publishTime="2026-01-01T00:00:00Z" minimumUpdatePeriod="PT2S" timeShiftBufferDepth="PT8S" minBufferTime="PT2S">
  <BaseURL availabilityTimeOffset="1.5" availabilityTimeComplete="false">live/</BaseURL>
  <Location>manifest.mpd?session=1</Location>
  <PatchLocation ttl="60">patch.mpp</PatchLocation>
  <ServiceDescription id="0"><Latency target="3500"/></ServiceDescription>
  <Period id="1" start="PT0S">
    <AdaptationSet mimeType="video/mp4">
      <SegmentTemplate timescale="1000" media="$RepresentationID$/$Time$.m4s" initialization="$RepresentationID$/init.mp4">
        <SegmentTimeline><S t="1767225590000" d="2000" r="3"/></SegmentTimeline>
      </SegmentTemplate>
      <Representation id="v1" bandwidth="500000" width="640" height="360" codecs="avc1.42c01e"/>
    </AdaptationSet>
  </Period>
  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-xsdate:2014" value="/time?iso https://time.example/now"/>
  <UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="2026-01-01T00:00:00Z"/>
  <ContentSteering>https://elsewhere.example/steer</ContentSteering>
</MPD>`;

/** A DVB profile without the attributes of DVB's own choice of a base. */
export const DVB = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:dvb="urn:dvb:dash:dash-extensions:2014-1" type="static" mediaPresentationDuration="PT4S" minBufferTime="PT2S" profiles="urn:dvb:dash:profile:dvb-dash:2014">
	<Metrics metrics="DVBErrors"><Reporting schemeIdUri="urn:dvb:dash:reporting:2014" value="1" dvb:reportingUrl="https://reports.example/r" dvb:probability="100"/></Metrics>
	<Period>
		<AdaptationSet mimeType="video/mp4"><EssentialProperty schemeIdUri="urn:dvb:dash:fontdownload:2014" dvb:url="font.woff"/>
			<SegmentTemplate timescale="1" duration="2" media="$Number$.m4s" initialization="init.mp4"/>
			<Representation id="1" bandwidth="500000" codecs="avc1.42c01e"/>
		</AdaptationSet>
	</Period>
</MPD>`;

/** Every key system at once: licence URLs as text and as attributes, key templates with tokens, and systems without any URL. */
export const PROTECTED = `<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" type="static" mediaPresentationDuration="PT4S" minBufferTime="PT2S" profiles="urn:mpeg:dash:profile:isoff-live:2011">
  <Period>
    <AdaptationSet mimeType="video/mp4">
      <ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc" cenc:default_KID="5a1f0c8e-3f0e-4d6c-9a52-1a7d7c1c0001"/>
      <ContentProtection schemeIdUri="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed">
        <cenc:pssh>AAAAAA==</cenc:pssh>
        <dashif:Laurl xmlns:dashif="https://dashif.org/CPS" licenseType="EME-1.0"> https://keys-a.example/Widevine/?kid=1&amp;p=2 </dashif:Laurl>
      </ContentProtection>
      <ContentProtection schemeIdUri="urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95">
        <ms:laurl xmlns:ms="urn:microsoft" licenseUrl="https://keys-a.example/PlayReady/"/>
        <mspr:pro xmlns:mspr="urn:microsoft:playready">AAAA</mspr:pro>
      </ContentProtection>
      <ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e">
        <clearkey:Laurl xmlns:clearkey="http://dashif.org/guidelines/clearKey" Lic_type="EME-1.0">https://licences.example/clear</clearkey:Laurl>
      </ContentProtection>
      <ContentProtection schemeIdUri="urn:mpeg:dash:sea:2012">
        <sea:SegmentEncryption xmlns:sea="urn:mpeg:dash:schema:sea:2012" schemeIdUri="urn:mpeg:dash:sea:aes128-cbc:2013"/>
        <sea:CryptoPeriod xmlns:sea="urn:mpeg:dash:schema:sea:2012" IV="0x00" keyUriTemplate="https://keys-a.example/?kid=$Time$"/>
        <sea:CryptoTimeline xmlns:sea="urn:mpeg:dash:schema:sea:2012" keyUriTemplate="keys/$base64IV$.key"/>
      </ContentProtection>
      <ContentProtection schemeIdUri="urn:uuid:94ce86fb-07ff-4f43-adb8-93d2fa968ca2">
        <dashif:laurl xmlns:dashif="https://dashif.org/">skd://asset</dashif:laurl>
        <cpl xmlns="urn:unknown">https://keys-a.example/unknown</cpl>
      </ContentProtection>
      <SegmentTemplate timescale="1" duration="2" media="$Number$.m4s" initialization="init.mp4"/>
      <Representation id="1" bandwidth="500000" codecs="avc1.42c01e"/>
    </AdaptationSet>
  </Period>
</MPD>`;

/** What no reader knows must come through: other namespaces, prefixes bound twice, comments, instructions, character data. */
export const NAMESPACES = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<?xml-stylesheet href="style.xsl"?>
<!-- before -->
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="urn:x" xsi:schemaLocation="urn:mpeg:dash:schema:mpd:2011 DASH-MPD.xsd" type="static" mediaPresentationDuration="PT4S" minBufferTime="PT2S" profiles="urn:mpeg:dash:profile:isoff-live:2011" x:note="&lt;&quot;&amp;&#10;">
  <x:head x:BaseURL="https://foreign.example/"><BaseURL xmlns="urn:other">https://foreign.example/</BaseURL><![CDATA[a < b && c]]></x:head>
  <Period>
    <?pi of the period?>
    <AdaptationSet mimeType="video/mp4" unknown="1">
      <unknown xmlns="" xmlns:x="urn:y" x:a="1"><x:b/><c></c></unknown>
      <SegmentTemplate timescale="1" duration="2" media="$Number$.m4s" initialization="init.mp4"/>
      <Representation id="1" bandwidth="500000" codecs="avc1.42c01e"/>
    </AdaptationSet>
    <!-- in the period -->
  </Period>
  <x:tail>ümläut &#x1F600; ]]&gt;</x:tail>
</MPD>
<!-- after -->`;

export const ALL: Readonly<Record<string, string>> = { MULTI_PERIOD, SEGMENT_LIST, SEGMENT_BASE, LIVE, DVB, PROTECTED, NAMESPACES };
