import ScriptedAPIServer
import Testing

@Suite struct ScriptedAPIServerTests {}
