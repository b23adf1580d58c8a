using System.Collections.Concurrent;
using System.Text;
using Runbooks.Model.Storage;

namespace TestKit.Storage;

/// <summary>Evidence by reference, in memory.</summary>
public sealed class InMemoryEvidenceStore : IEvidenceStore
{
    private readonly ConcurrentDictionary<string, byte[]> _contents = new(StringComparer.Ordinal);

    /// <summary>What goes wrong when the evidence of an incident is removed; nothing unless a test says so.</summary>
    public Func<string, Exception?>? Fault { get; set; }

    /// <summary>What is kept under the reference, as UTF-8 text; null when nothing is.</summary>
    public string? TextOf(string reference) => _contents.TryGetValue(reference, out var bytes) ? Encoding.UTF8.GetString(bytes) : null;

    public async Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken)
    {
        var reference = EvidenceName.Of(incidentId, name).ToString();
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy, cancellationToken);
        _contents[reference] = copy.ToArray();
        return reference;
    }

    public Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken) =>
        Task.FromResult<Stream?>(_contents.TryGetValue(reference, out var bytes) ? new MemoryStream(bytes, writable: false) : null);

    public Task DeleteAsync(string incidentId, CancellationToken cancellationToken)
    {
        if (Fault?.Invoke(incidentId) is { } fault)
        {
            return Task.FromException(fault);
        }

        foreach (var reference in _contents.Keys.Where(key => key.StartsWith($"{incidentId}/", StringComparison.Ordinal)))
        {
            _contents.TryRemove(reference, out _);
        }

        return Task.CompletedTask;
    }
}
