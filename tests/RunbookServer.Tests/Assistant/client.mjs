// The official client of the Model Context Protocol: prints what each call answers, a line of JSON each.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, address, key, ...calls] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const load = name => import(pathToFileURL(require.resolve(name)));
const { Client } = await load('@modelcontextprotocol/sdk/client/index.js');
const { StreamableHTTPClientTransport } = await load('@modelcontextprotocol/sdk/client/streamableHttp.js');

const client = new Client({ name: 'test', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(address), { requestInit: { headers: { 'X-Api-Key': key } } }));
console.log(JSON.stringify({ server: client.getServerVersion(), tools: (await client.listTools()).tools.map(tool => tool.name) }));
for (const call of calls) {
  const { name, arguments: given } = JSON.parse(call);
  try {
    const { content, isError } = await client.callTool({ name, arguments: given });
    console.log(JSON.stringify({ text: content[0].text, isError: isError ?? false }));
  } catch (error) {
    console.log(JSON.stringify({ text: String(error.message), isError: true }));
  }
}
await client.close();
