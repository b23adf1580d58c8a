using System.Text.Encodings.Web;
using Runbooks.Sandbox.Apis;

namespace Runbooks.Sandbox;

/// <summary>Every request to an API with what was answered, a line of JSON each, in a file: all that was ever done to this world.</summary>
internal sealed class RequestLog(SandboxOptions options) : IDisposable
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();
    private readonly StreamWriter? _file = options.LogFile is { } file ? new StreamWriter(file, append: true) { AutoFlush = true } : null;

    /// <summary>A caller that went away before the answer changes nothing about what was done.</summary>
    public void Write(HttpContext context)
    {
        if (_file is null)
        {
            return;
        }

        var request = context.Request;
        var line = JsonSerializer.Serialize(new { at = options.Time.GetUtcNow(), request = $"{request.Method} {request.Path}{request.QueryString}", status = context.Response.StatusCode }, s_json);
        lock (_lock)
        {
            _file.WriteLine(line);
        }
    }

    public void Dispose() => _file?.Dispose();
}
