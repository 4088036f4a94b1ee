// One charging session by a charger that is written in another language, with strict validation
// of everything that the central system says. Usage: node session.mjs URL IDENTITY [ORIGIN]
// Prints what it was told, as one line of JSON; exits with 1 at the first surprise.
import { RPCClient } from 'ocpp-rpc';

const [endpoint, identity, origin] = process.argv.slice(2);
const asked = [];
const charger = new RPCClient({
  endpoint,
  identity,
  protocols: ['ocpp1.6'],
  strictMode: true,
  // Some websocket libraries always name one.
  headers: origin ? { Origin: origin } : {},
  pingIntervalMs: 0,
});
const startedRemotely = new Promise((resolve) => {
  charger.handle('RemoteStartTransaction', ({ params }) => {
    asked.push(params);
    resolve();
    return { status: 'Accepted' };
  });
});
charger.on('strictValidationFailure', (event) => {
  console.error('Levity said what the schema forbids:', event);
  process.exit(1);
});

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const status = (name, at) =>
  charger.call('StatusNotification', {
    connectorId: 1,
    errorCode: 'NoError',
    status: name,
    timestamp: at,
  });

await charger.connect();
const boot = await charger.call('BootNotification', {
  chargePointVendor: 'Npm',
  chargePointModel: 'Model N',
});
await status('Preparing', ago(300));
// A card before that would go first (docs/operating.md, "Who goes first").
await startedRemotely;
const authorize = await charger.call('Authorize', { idTag: 'CARD-2' });
const start = await charger.call('StartTransaction', {
  connectorId: 1,
  idTag: asked[0].idTag,
  meterStart: 0,
  timestamp: ago(290),
});
await status('Charging', ago(290));
const meterValues = await charger.call('MeterValues', {
  connectorId: 1,
  transactionId: start.transactionId,
  meterValue: [{ timestamp: ago(120), sampledValue: [{ value: '400' }] }],
});
const stop = await charger.call('StopTransaction', {
  transactionId: start.transactionId,
  meterStop: 900,
  timestamp: ago(10),
});
await status('Available', ago(10));
const heartbeat = await charger.call('Heartbeat', {});
await charger.close({ code: 1000 });

console.log(
  JSON.stringify({
    protocol: charger.protocol,
    boot: [boot.status, boot.interval],
    authorize,
    start,
    meterValues,
    stop,
    heartbeat: Object.keys(heartbeat),
    asked,
  }),
);
