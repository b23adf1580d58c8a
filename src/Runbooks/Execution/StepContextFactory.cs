using Runbooks.Catalog.Steps;
using Runbooks.Catalog.Templates;

namespace Runbooks.Execution;

public sealed class StepContextFactory(IEvidenceStore evidence, KillSwitch killSwitch, TimeProvider time)
{
    private readonly RedactingEvidenceStore _evidence = new(evidence);

    public StepContext For(Incident incident, string idempotencyKey, Preparation? interrupted = null) => new()
    {
        IncidentId = incident.Id,
        RunbookId = incident.RunbookId,
        Target = incident.Target,
        IdempotencyKey = idempotencyKey,
        Interrupted = interrupted,
        Evidence = _evidence,
        Time = time,
        FindPause = async cancellationToken => (await killSwitch.ReadAsync(cancellationToken)).Describe(),
    };
}

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

/// <summary>A pod's log may say anything, and the readers of evidence need not learn its secrets.</summary>
internal sealed class RedactingEvidenceStore(IEvidenceStore store) : IEvidenceStore
{
    /// <summary>Lines hidden after the beginning of a private key; if its end is missing, later lines are shown again.</summary>
    private const int LongestKey = 200;

    /// <remarks>Reads UTF-8; every line ends with a line feed. A failure leaves nothing half-written.</remarks>
    public async Task<string> SaveAsync(string incidentId, string name, Stream content, CancellationToken cancellationToken)
    {
        using var lines = new StreamReader(content, Encoding.UTF8, leaveOpen: true);
        using var redacted = new MemoryStream();
        var (keyLines, before) = (0, "");
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            var within = keyLines > 0;
            keyLines = Redactor.BeginsPrivateKey(line) switch
            {
                true => LongestKey,
                false => 0,
                null => Math.Max(0, keyLines - 1),
            };
            redacted.Write(Encoding.UTF8.GetBytes($"{(within ? Redactor.Hidden : Redactor.RedactLine(before, line))}\n"));
            before = line;
        }

        redacted.Position = 0;
        return await store.SaveAsync(incidentId, name, redacted, cancellationToken);
    }

    public Task<Stream?> OpenAsync(string reference, CancellationToken cancellationToken) => store.OpenAsync(reference, cancellationToken);

    public Task DeleteAsync(string incidentId, CancellationToken cancellationToken) => store.DeleteAsync(incidentId, cancellationToken);
}

/// <summary>Bounds the time of work that may never answer, and may not even look at its cancellation token.</summary>
internal static class Deadline
{
    /// <param name="progress">What the work reports; used in the message of the exception.</param>
    /// <exception cref="TimeoutException">The time is over. The work was cancelled and is no longer waited for.</exception>
    public static async Task<T> WithinAsync<T>(
        TimeSpan limit,
        TimeProvider time,
        Func<CancellationToken, Task<T>> work,
        CancellationToken cancellationToken,
        StepProgress? progress = null)
    {
        using var timeout = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await work(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var allowed = DurationText.Format(limit);
            throw new TimeoutException(progress?.Text is { } words
                ? $"not done within {allowed}: {words}."
                : $"no answer within {allowed}");
        }
    }

    /// <summary>When the host stops, the work gets the grace time: its outcome would stay unknown.</summary>
    public static async Task<T> WithinAsync<T>(
        TimeSpan limit,
        TimeSpan grace,
        TimeProvider time,
        Func<CancellationToken, Task<T>> work,
        StepProgress? progress,
        CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource();
        var working = WithinAsync(limit, time, work, late.Token, progress);
        try
        {
            return await working.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            try
            {
                return await working.WaitAsync(grace, time, CancellationToken.None);
            }
            catch (TimeoutException) when (!working.IsCompleted)
            {
                await late.CancelAsync();
                throw new OperationCanceledException(cancellationToken);
            }
        }
    }
}
