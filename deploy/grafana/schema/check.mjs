// Checks dashboards against the types of a version of @grafana/schema, by tsc:
//
//	node check.mjs DIR FILE.json...
//
// DIR has node_modules with @grafana/schema and typescript. Each panel is held to the type of
// its kind, so that a key that Grafana does not know is an error, and so is a value of another
// type. No key has to be there: Grafana has a default for each. What the types leave open is
// not checked: targets, options of transformations, values of overrides, and queries of
// annotations.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const [dir, ...files] = process.argv.slice(2);
const schema = path.join(dir, 'node_modules/@grafana/schema');
const { version } = JSON.parse(fs.readFileSync(path.join(schema, 'package.json')));
const types = fs.readdirSync(schema, { recursive: true }).filter((f) => f.endsWith('.d.ts'));

// typesOf is the module of a kind of panel. Versions have it in different places.
function typesOf(kind) {
	const known = `composable/${kind.replaceAll('-', '')}/panelcfg/x/`;
	const found = types.filter((f) => f.includes(known)).sort((a, b) => a.length - b.length)[0];
	if (!found) throw new Error(`@grafana/schema ${version} has no types of a panel ${kind}`);
	return './' + path.relative(dir, path.join(schema, found)).replace(/\.d\.ts$/, '');
}

// Enums are compared by their values, which JSON has. A type that is an index signature
// beside others would let every key pass: it is taken away.
const head = `import type { Dashboard, FieldConfig, Panel } from '@grafana/schema';
type Any<T> = 0 extends 1 & T ? true : false;
type Known<T> = { [K in keyof T as string extends K ? never : K]: T[K] };
type Plain<T> = Any<T> extends true ? any : unknown extends T ? unknown
	: T extends string ? \`\${T}\`
	: T extends number ? (number extends T ? number : \`\${T}\` extends \`\${infer N extends number}\` ? N : never)
	: T extends (infer E)[] ? Plain<E>[]
	: T extends object ? (keyof T extends never ? T : string extends keyof T ? (keyof Known<T> extends never ? { [K in keyof T]?: Plain<T[K]> } : { [K in keyof Known<T>]?: Plain<T[K]> }) : { [K in keyof T]?: Plain<T[K]> })
	: T;
type Of<Options, Custom> = Plain<Omit<Panel, 'options' | 'fieldConfig'>> & {
	options?: Plain<Options>;
	fieldConfig?: { defaults: Plain<Omit<FieldConfig, 'custom'>> & { custom?: Plain<Custom> }; overrides: Plain<NonNullable<Panel['fieldConfig']>['overrides']> };
};
`;
// without takes away keys that Grafana's program reads and its types do not have.
function without(keys) {
	return (object) => keys.forEach((key) => delete object[key]);
}

let failed = false;
for (const file of files) {
	const dashboard = JSON.parse(fs.readFileSync(file));
	const { panels, ...rest } = dashboard;
	rest.annotations.list.forEach(without(['target', 'query', 'rawQuery', 'textColumn', 'mappings']));
	rest.templating.list.forEach(without(['definition']));
	const kinds = [...new Set(panels.map((p) => p.type))];
	let text = head + kinds.map((kind, n) => `import type * as kind${n} from '${typesOf(kind)}';\n`).join('');
	text += `export const dashboard: Plain<Omit<Dashboard, 'panels'>> = ${JSON.stringify(rest, null, 1)};\n`;
	panels.forEach((p, n) => {
		const kind = kinds.indexOf(p.type);
		const custom = /\b(interface|type) FieldConfig\b/.test(fs.readFileSync(path.join(dir, typesOf(p.type) + '.d.ts'))) ? `kind${kind}.FieldConfig` : '{}';
		text += `export const panel${n}: Of<kind${kind}.Options, ${custom}> = ${JSON.stringify(p, null, 1)};\n`;
	});
	const name = path.join(dir, path.basename(file, '.json') + '.ts');
	fs.writeFileSync(name, text);
	try {
		execFileSync(path.join(dir, 'node_modules/.bin/tsc'), ['--noEmit', '--strict', '--skipLibCheck', '--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022', name], { encoding: 'utf8' });
		console.log(`${path.basename(file)}: fits @grafana/schema ${version}`);
	} catch (e) {
		failed = true;
		console.log(`${path.basename(file)}: does not fit @grafana/schema ${version}\n${e.stdout || e}`);
	}
}
process.exit(failed ? 1 : 0);
