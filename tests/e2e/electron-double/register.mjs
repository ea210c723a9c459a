// Makes `electron` mean the stand-in, and leaves only the ciphers that Electron's BoringSSL has.
import crypto from 'node:crypto';
import { registerHooks, syncBuiltinESMExports } from 'node:module';

const url = new URL('./electron.mjs', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' || specifier === 'electron/main'
      ? { url, format: 'module', shortCircuit: true }
      : next(specifier, context),
});

const MODES = ['cbc', 'ctr', 'ecb', 'gcm', 'ofb'];
const CIPHERS = new Set([128, 192, 256].flatMap((bits) => MODES.map((mode) => `aes-${bits}-${mode}`)));
for (const name of ['createCipheriv', 'createDecipheriv']) {
  const real = crypto[name];
  crypto[name] = (cipher, ...rest) => {
    if (!CIPHERS.has(String(cipher).toLowerCase()))
      throw Object.assign(new Error('Unknown cipher'), { code: 'ERR_CRYPTO_UNKNOWN_CIPHER' });
    return real(cipher, ...rest);
  };
}
crypto.getCiphers = () => [...CIPHERS];
syncBuiltinESMExports();
process.versions.electron ??= '45.0.0-double';
