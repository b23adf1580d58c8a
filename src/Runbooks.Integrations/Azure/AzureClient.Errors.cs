using Azure;

namespace Runbooks.Integrations.Azure;

internal sealed partial class AzureClient
{
    private static readonly string[] s_errorWords = ["code", "message", "title", "detail"];

    /// <summary>
    /// How services say that they work on the resource for somebody else: <c>RequestConflict</c>, <c>AnotherOperationInProgress</c>, in
    /// words.
    /// </summary>
    private static readonly string[] s_busyWords = ["REQUESTCONFLICT", "INPROGRESS", "IN PROGRESS", "ANOTHER OPERATION"];

    /// <summary>A 403 that no role on the resource lifts, because of another resource in the request, a denial or a policy.</summary>
    private static readonly string[] s_notForTheRole =
        ["LinkedAuthorizationFailed", "DenyAssignmentAuthorizationFailed", "RequestDisallowedByPolicy"];

    /// <summary>How long the answer asks to wait; null where that is no time at all.</summary>
    public static TimeSpan? RetryAfter(Response response) => WaitIn(response) is { } wait && wait > TimeSpan.Zero ? wait : null;

    private static TimeSpan? WaitIn(Response response) =>
        response.Headers.TryGetValue("Retry-After", out var text) && RetryConditionHeaderValue.TryParse(text, out var after)
            ? JsonAnswer.RetryAfter(after, response.Headers.Date)
            : response.Headers.TryGetValue("retry-after-ms", out var inMilliseconds)
                && int.TryParse(inMilliseconds, CultureInfo.InvariantCulture, out var milliseconds)
                ? TimeSpan.FromMilliseconds(milliseconds)
                : null;

    private static Exception Refused(AzureRequest call, Response response)
    {
        var (status, body, wait) = (response.Status, response.Content, RetryAfter(response));
        var isBusy = IsBusy(call, status, body);
        // A change that waits for its turn is tried for hours, and its reason is noted once, so it has no seconds that differ each time.
        var words = isBusy ? SecondsToWait().Replace(ErrorWords(body), "some$1") : $"{ErrorWords(body)}{WaitText(wait)}".TrimStart();
        return status switch
        {
            401 => new StepRefusedException($"{call.On} does not know this identity (401), so it may not {call.What}. "
                + $"Are both of the same tenant? Azure says: {ErrorWords(body)}") { NothingDone = call.Method != RequestMethod.Get },
            403 => Forbidden(call, body),
            412 => new AzureRequestException(
                $"{call.On} was changed by somebody else at this moment, so nothing was written to {call.What}.",
                status) { NothingDone = true },
            _ => new AzureRequestException($"{call.On} answered {status} to: {call.What}. {words}".TrimEnd(), status)
            {
                IsSilent = status is 408 or 429 or >= 500,
                NothingDone = status is >= 400 and < 500 and not 408,
                IsBusy = isBusy,
                RetryAfter = wait,
            },
        };
    }

    // To a change, Microsoft.Network also answers 429 while somebody else is changing the resource, and 400 as well as 409.
    private static bool IsBusy(AzureRequest call, int status, BinaryData body) =>
        !call.OnlyReads
        && (status == 429 || (status is 400 or 409 && s_busyWords.Any(ErrorWords(body).ToUpperInvariant().Contains)));

    private static string WaitText(TimeSpan? wait) => wait >= TimeSpan.FromSeconds(1) ? $" It asks to wait {wait.Value.TotalSeconds:0} s." : "";

    private static StepRefusedException Forbidden(AzureRequest call, BinaryData body)
    {
        // The answer names two resources at length, and only then what is lacking.
        var words = ErrorWords(body, 1000);
        var message = s_notForTheRole.Any(code => words.StartsWith(code, StringComparison.Ordinal))
            ? $"Azure does not let this identity {call.What} on {call.On} (403): {words}"
            : $"This identity lacks the role {call.Role} on {call.On}, so it may not {call.What}. Azure says: {ErrorWords(body)}";
        return new(message) { NothingDone = call.Method != RequestMethod.Get };
    }

    /// <summary>ARM: <c>error.message</c>; problem details: <c>title</c>, <c>detail</c>; else the text.</summary>
    private static string ErrorWords(BinaryData body, int? longest = null)
    {
        var json = Parse(body);
        if (json.ValueKind == JsonValueKind.Object
            && json.TryGetProperty("error", out var error)
            && error.ValueKind == JsonValueKind.Object)
        {
            json = error;
        }

        var words = json.ValueKind == JsonValueKind.Object
            ? string.Join(": ", s_errorWords
                .Select(name => json.TryGetProperty(name, out var text) ? text.ToString() : "")
                .Where(text => text.Length > 0))
            : "";
        // It names what is locked at length, and only then by which lock.
        var most = longest ?? (words.StartsWith("ScopeLocked", StringComparison.Ordinal) ? 1000 : 300);
        return Cut(words.Length > 0 ? words : body.ToString(), most);
    }

    private static string Cut(string text, int longest = 300) => Clip.To(text.Trim(), longest);

    [GeneratedRegex(@"\d+('? ?(?:s|sec|second|seconds)\b)", RegexOptions.NonBacktracking)]
    private static partial Regex SecondsToWait();
}
