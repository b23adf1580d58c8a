using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;

namespace Runbooks.Execution;

/// <summary>Makes the context of each check and action.</summary>
public sealed class StepContextFactory(IEvidenceStore evidence, TimeProvider time, ILoggerFactory loggers)
{
    private readonly RedactingEvidenceStore _evidence = new(evidence);

    /// <param name="step">The check's or the action's registered name, which is also the logger's.</param>
    public StepContext For(Incident incident, string step, string idempotencyKey, Preparation? interrupted = null) => new()
    {
        IncidentId = incident.Id,
        RunbookId = incident.RunbookId,
        Target = incident.Target,
        IdempotencyKey = idempotencyKey,
        Interrupted = interrupted,
        Evidence = _evidence,
        Time = time,
        Logger = loggers.CreateLogger($"Runbooks.Steps.{step}"),
    };
}

/// <summary>What the placeholders of an incident's checks and steps may read.</summary>
public static class IncidentTemplateScope
{
    public static TemplateScope Of(Incident incident) => new()
    {
        Alert = incident.Alert,
        Target = incident.Target,
        IncidentId = incident.Id,
        Findings = incident.Findings.ToDictionary(finding => finding.Name, finding => finding.Result),
        Steps = incident.Steps.Where(step => step.FinishedAt is not null).ToDictionary(step => step.Name, step => step.Outputs),
    };
}

/// <summary>Evidence as steps keep it: a pod's log may say anything, and whoever reads it later need not learn its secrets.</summary>
internal sealed class RedactingEvidenceStore(IEvidenceStore store) : IEvidenceStore
{
    public async Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken)
    {
        await using var redacted = new RedactingStream(content);
        return await store.SaveAsync(incidentId, name, redacted, cancellationToken);
    }

    public Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken) => store.OpenAsync(reference, cancellationToken);

    public Task DeleteAsync(string incidentId, CancellationToken cancellationToken) => store.DeleteAsync(incidentId, cancellationToken);
}

/// <summary>Text in UTF-8, line by line without what looks like a secret. Reads on as it is read; every line ends with a line feed.</summary>
internal sealed class RedactingStream(Stream content) : Stream
{
    /// <summary>Lines of a private key that is begun; when its end is missing, what follows is shown again.</summary>
    private const int LongestKey = 200;

    private readonly StreamReader _lines = new(content, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, bufferSize: -1, leaveOpen: true);
    private ReadOnlyMemory<byte> _rest;
    private int _keyLines;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_rest.IsEmpty)
        {
            if (await _lines.ReadLineAsync(cancellationToken) is not { } line)
            {
                return 0;
            }

            _rest = Redacted(line);
        }

        return Take(buffer.Span);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        while (_rest.IsEmpty)
        {
            if (_lines.ReadLine() is not { } line)
            {
                return 0;
            }

            _rest = Redacted(line);
        }

        return Take(buffer.AsSpan(offset, count));
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _lines.Dispose();
        }

        base.Dispose(disposing);
    }

    private byte[] Redacted(string line)
    {
        var within = _keyLines > 0;
        _keyLines = Redactor.BeginsPrivateKey(line) switch { true => LongestKey, false => 0, null => Math.Max(0, _keyLines - 1) };
        return Encoding.UTF8.GetBytes($"{(within ? Redactor.Hidden : Redactor.Redact(line))}\n");
    }

    private int Take(Span<byte> buffer)
    {
        var count = Math.Min(buffer.Length, _rest.Length);
        _rest.Span[..count].CopyTo(buffer);
        _rest = _rest[count..];
        return count;
    }
}
