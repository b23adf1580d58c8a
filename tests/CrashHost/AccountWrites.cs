using System.Diagnostics;

namespace CrashHost;

/// <summary>Calls at each write to a storage account, before it is sent and once it is answered. Leases are kept by the clock and are no writes of a story.</summary>
internal sealed class AccountWrites(Action pass) : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
{
    public void OnNext(DiagnosticListener value)
    {
        if (value.Name == "HttpHandlerDiagnosticListener")
        {
            value.Subscribe(this);
        }
    }

    public void OnNext(KeyValuePair<string, object?> value)
    {
        if (value.Key is "System.Net.Http.HttpRequestOut.Start" or "System.Net.Http.HttpRequestOut.Stop"
            && value.Value?.GetType().GetProperty("Request")?.GetValue(value.Value) is HttpRequestMessage request
            && request.Method != HttpMethod.Get && request.Method != HttpMethod.Head
            && request.Headers.Contains("x-ms-version")
            && request.RequestUri?.Query.Contains("comp=lease", StringComparison.Ordinal) != true)
        {
            pass();
        }
    }

    public void OnCompleted()
    {
        // Listeners live as long as the process.
    }

    public void OnError(Exception error)
    {
        // A listener has no errors of its own.
    }
}
