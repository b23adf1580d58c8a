namespace Runbooks.Sandbox.Apis.Tickets;

/// <summary>The common part of the ticket systems: rows that are remembered, and the user <c>practice</c> with the secret <c>practice</c>.</summary>
internal abstract class TicketApi(string name, SandboxChanges changes) : SandboxApi(name), IRemembered
{
    private JsonArray _rows = [];

    string IRemembered.Key => $"{Name}/tickets";

    protected IEnumerable<JsonObject> Rows => _rows.OfType<JsonObject>();

    public override object Describe() => Locked(() => _rows.DeepClone());

    public override void Reset() => Locked(() => _rows = []);

    JsonNode? IRemembered.Save() => Locked(() => _rows.DeepClone());

    void IRemembered.Load(JsonNode saved) => _rows = saved.DeepClone().AsArray();

    protected int Add(JsonObject row)
    {
        _rows.Add(row);
        changes.Touch();
        return _rows.Count;
    }

    protected void Touch() => changes.Touch();

    protected int Count => _rows.Count;

    protected Task<IResult> WithBodyAsync<T>(HttpRequest request, Func<T, IResult> work)
        where T : JsonNode =>
            SignedInAsync(request, async () => await JsonBody.ReadAsync(request) is T body ? Locked(() => work(body)) : Error(400, request));

    protected Task<IResult> SignedInAsync(
        HttpRequest request, Func<Task<IResult>> work) => IsSignedIn(request) ? work() : Task.FromResult(Error(401, request));

    protected IResult SignedIn(HttpRequest request, Func<IResult> work) => IsSignedIn(request) ? Locked(work) : Error(401, request);

    protected static IResult Json(JsonNode body, int status = 200) => Results.Text(body.ToJsonString(), "application/json", statusCode: status);

    protected static string? Text(JsonNode? value) => value is JsonValue text && text.TryGetValue<string>(out var found) ? found : null;

    private static bool IsSignedIn(HttpRequest request) => request.Headers.Authorization.ToString() is ['B', 'a', 's', 'i', 'c', ' ', .. var basic]
        && Convert.TryFromBase64String(basic, new byte[basic.Length], out _)
        && Encoding.UTF8.GetString(Convert.FromBase64String(basic)) is "practice:practice" or ":practice";

    private T Locked<T>(Func<T> what)
    {
        lock (changes.Gate)
        {
            return what();
        }
    }
}
