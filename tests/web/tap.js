// Runs in the page before its own scripts: records whatever an AudioContext sends to its output, and keeps breaches
// of the Content-Security-Policy.
(() => {
  const MIME_TYPES = ['audio/webm;codecs=pcm', 'audio/webm;codecs=opus'];
  const OUT_HZ = 24000;
  const taps = new Map();
  const breaches = [];
  const { connect, disconnect } = AudioNode.prototype;

  const isOutput = (target) => target instanceof AudioDestinationNode && target.context instanceof AudioContext;

  function tapOf(context) {
    if (!taps.has(context)) {
      const sink = context.createMediaStreamDestination();
      const mimeType = MIME_TYPES.find((type) => MediaRecorder.isTypeSupported(type));
      const tap = { sink, recorder: new MediaRecorder(sink.stream, { mimeType }), chunks: [], startedS: null };
      tap.recorder.ondataavailable = ({ data }) => tap.chunks.push(data);
      tap.recorder.onstart = () => { tap.startedS = context.currentTime; };
      tap.recorder.start(200);
      taps.set(context, tap);
    }
    return taps.get(context).sink;
  }

  AudioNode.prototype.connect = function (target, ...rest) {
    const result = connect.call(this, target, ...rest);
    if (isOutput(target)) connect.call(this, tapOf(this.context));
    return result;
  };
  AudioNode.prototype.disconnect = function (...targets) {
    if (isOutput(targets[0])) disconnect.call(this, tapOf(this.context));
    return disconnect.apply(this, targets);
  };

  async function base64(samples) {
    const pcm = Int16Array.from(samples, (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768))));
    const url = await new Promise((resolve) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.readAsDataURL(new Blob([pcm]));
    });
    return url.slice(url.indexOf(',') + 1);
  }

  async function recorded(tap) {
    if (tap.recorder.state === 'recording') {
      await new Promise((resolve) => {
        tap.recorder.addEventListener('dataavailable', resolve, { once: true });
        tap.recorder.requestData();
      });
    }
    const bytes = await new Blob(tap.chunks).arrayBuffer();
    if (bytes.byteLength === 0) return { pcm: '', startedS: tap.startedS ?? 0 };
    const audio = await new OfflineAudioContext(1, 1, OUT_HZ).decodeAudioData(bytes);
    return { pcm: await base64(audio.getChannelData(0)), startedS: tap.startedS ?? 0 };
  }

  document.addEventListener('securitypolicyviolation', (event) => {
    breaches.push(`${event.effectiveDirective}: ${event.blockedURI}`);
  });

  window.speakbackTap = {
    /** What each AudioContext played so far: 16-bit PCM at 24 kHz, and when on its clock that began. */
    played: () => Promise.all([...taps.values()].map(recorded)),
    breaches: () => breaches,
  };
})();
