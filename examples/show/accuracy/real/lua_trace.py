# What a Lua engine does with a program, a line executed an event, each coroutine a thread, in schema-v1.
# usage: lua_trace.py lua51|lua52|lua53|lua54|luajit21 PROGRAM OUT
import importlib
import json
import sys
import time

engine, program, out = sys.argv[1:4]
lua = importlib.import_module(f"lupa.{engine}").LuaRuntime()
log = open(out, "w")
log.write(json.dumps({"kind": "schema_version", "schema_version": 1, "engine": lua.lua_implementation}) + "\n")
ordinals = {}


def event(tid, kind, payload):
    ordinal = ordinals[tid] = ordinals.get(tid, -1) + 1
    payload = {key: payload[key] for key in sorted(payload)}
    log.write(json.dumps({"kind": kind, "tid": tid, "tid_event_idx": ordinal, "host_ns": time.monotonic_ns(),
                          "payload": payload}) + "\n")


# The engine's own hook calls this for every line; a value that is an object is told by its type, its address is chance.
lua.execute("""
event, wanted = ...
local tids, count = {}, 0
local function hook(_, line)
  local co = coroutine.running()
  -- LuaJIT has one hook for all coroutines, the main one included.
  if not co or not tids[co] or debug.getinfo(2, "S").source ~= "=program" then return end
  local locals, at = {}, 1
  while true do
    local name, value = debug.getlocal(2, at)
    if not name then break end
    if not name:find("(", 1, true) then
      local kind = type(value)
      locals[name] = (kind == "number" or kind == "string" or kind == "boolean") and tostring(value) or kind
    end
    at = at + 1
  end
  locals.line = line
  event(tids[co], "line", locals)
end
function spawn(name, body)
  local co = coroutine.create(body)
  count = count + 1
  tids[co] = count
  event(count, "kernel.call", {name = name})
  debug.sethook(co, hook, "l")
  return co
end
""", lambda tid, kind, payload: event(tid, kind, dict(payload)), None)
lua.eval("function(text) return assert((loadstring or load)(text, '=program')) end")(open(program).read())()
log.close()
