using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;
using Microsoft.Extensions.Hosting;
using Runbooks.Settings;

namespace Runbooks.Web.Http;

/// <summary>The owner of the key in a request, and what the key may do. Keys are compared in constant time.</summary>
public sealed class ApiKeyAuthentication(IOptionsMonitor<ApiKeyOptions> options)
{
    /// <param name="allowQuery">Whether <c>?code=</c> counts: only where a sender can set no header.</param>
    /// <returns>Null for no key, or one that opens nothing.</returns>
    public Actor? OfApi(HttpRequest request, bool allowQuery) =>
        Find([.. request.Headers["X-Api-Key"], AuthorizationHeader.BearerToken(request), .. allowQuery ? request.Query["code"] : default])
            ?? (options.CurrentValue.CheckedByPlatform ? OfPlatform(request) : null);

    /// <summary>Pages take the key as the password that a browser asks for; the name beside it does not matter.</summary>
    public Actor? OfPage(HttpRequest request) =>
        Find([.. request.Headers["X-Api-Key"], AuthorizationHeader.BearerToken(request), BasicPassword(request)])
            ?? (options.CurrentValue.OpenPagesOnLoopback && IsLocal(request) ? new(Role.Admin, "somebody at this machine") : null);

    /// <summary>
    /// The Functions host has checked its own key, and passes on the header and the query that it looked at. Only one of several keys was
    /// checked, so the one that may do least counts; several headers arrive as one with commas. A key that is not named here may do
    /// everything.
    /// </summary>
    private Actor? OfPlatform(HttpRequest request)
    {
        var headers = request.Headers["x-functions-key"].OfType<string>();
        List<string?> given = [.. headers, .. headers.SelectMany(header => header.Split(',', StringSplitOptions.TrimEntries)), .. request.Query["code"]];
        var named = given.OfType<string>()
            .Select(key => Find([key]))
            .OfType<Actor>()
            .OrderBy(actor => actor.Role)
            .ThenBy(actor => actor.Sources.Count == 0)
            .FirstOrDefault();
        var mayBeUnnamed = given.Count > 0 || options.CurrentValue.Named.Count == 0;
        return named ?? (mayBeUnnamed ? new(Role.Admin, "a key of the Functions app") : null);
    }

    /// <summary>The host name counts too: a page elsewhere may point a name of its own at this machine.</summary>
    private static bool IsLocal(HttpRequest request) =>
        request.HttpContext.Connection.RemoteIpAddress is { } address
        && IPAddress.IsLoopback(address)
        && (request.Host.Host == "localhost" || (IPAddress.TryParse(request.Host.Host, out var host) && IPAddress.IsLoopback(host)));

    private Actor? Find(IEnumerable<string?> given) => given.OfType<string>().Select(Find).FirstOrDefault(actor => actor is not null);

    private Actor? Find(string given)
    {
        if (given.Length is 0 or > 512)
        {
            return null;
        }

        // Hashes have one length, and every key is compared, so the time tells neither length nor place of a key.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(given));
        Actor? found = null;
        foreach (var (key, actor) in options.CurrentValue.All)
        {
            var isSame = CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(key)), hash);
            found = key.Length > 0 & isSame ? actor : found;
        }

        return found;
    }

    private static string BasicPassword(HttpRequest request) =>
        AuthorizationHeader.BasicCredentials(request) is { } text ? text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..] : "";
}

public sealed class ApiKeyOptions
{
    public const string SectionName = "ApiKeys";

    /// <summary>
    /// Keys without a role, which may do everything. With no key at all, nothing opens. At least 24 random characters each:
    /// <c>openssl rand -hex 32</c>.
    /// </summary>
    public IList<string> Keys { get; } = [];

    /// <summary>Keys with a role, by the name that refusals show.</summary>
    public IDictionary<string, NamedApiKey> Named { get; } = new Dictionary<string, NamedApiKey>(StringComparer.OrdinalIgnoreCase);

    /// <summary>For practice: the console opens without a key for a browser on this machine.</summary>
    public bool OpenPagesOnLoopback { get; set; }

    /// <summary>The Functions host checks keys before this program does. Not a setting: only that host may say it.</summary>
    internal bool CheckedByPlatform { get; set; }

    internal IEnumerable<(string Key, Actor Actor)> All =>
    [
        .. Keys.Select(key => (key, new Actor(Role.Admin, "an API key"))),
        .. Named.Select(named => (named.Value.Key, ActorOf(named.Key, named.Value))),
    ];

    private static Actor ActorOf(string name, NamedApiKey key) => new(key.Role, $"the key '{name}'") { Sources = [.. key.Sources] };
}

public sealed class NamedApiKey
{
    /// <summary>A secret of at least 24 random characters. In the Functions app, the value of a function key that the app has too.</summary>
    public string Key { get; set; } = "";

    /// <summary>
    /// <c>Sender</c> posts alerts and nothing else, <c>Viewer</c> looks, <c>Assistant</c> also asks and proposes through <c>/mcp</c>,
    /// <c>Operator</c> acts on incidents, <c>Admin</c> may do everything.
    /// </summary>
    public Role Role { get; set; }

    /// <summary>
    /// The only sources that a <c>Sender</c> may post for, by the names in the address (<c>alertmanager</c>, <c>azure-monitor</c> …).
    /// Empty for any.
    /// </summary>
    public IList<string> Sources { get; } = [];
}

/// <summary>
/// Razor components bring data protection along, which would write keys to the home folder at the start. Nothing here needs them: a form
/// carries a signed token or a key, and <see cref="SameOrigin"/> tells where it was sent from. So the keys stay in memory.
/// </summary>
internal sealed class EphemeralKeys : IXmlRepository
{
    private readonly ConcurrentQueue<XElement> _keys = new();

    public static void Use(KeyManagementOptions options)
    {
        options.XmlRepository = new EphemeralKeys();

        // Without an encryptor, the start would warn of keys that are stored in plain text. None is stored.
        options.XmlEncryptor = new NullXmlEncryptor();
    }

    public IReadOnlyCollection<XElement> GetAllElements() => [.. _keys];

    public void StoreElement(XElement element, string friendlyName) => _keys.Enqueue(element);
}

internal sealed class ApiKeyStrength(IHostEnvironment environment, AlertReader reader) : IValidateOptions<ApiKeyOptions>
{
    public ValidateOptionsResult Validate(string? name, ApiKeyOptions options)
    {
        List<string> keys = [.. options.Keys, .. options.Named.Values.Select(named => named.Key)];
        if (keys.Select(key => SecretStrength.FindWeakness(key, environment)).FirstOrDefault(why => why is not null) is { } weakness)
        {
            return ValidateOptionsResult.Fail(
                $"A key of the API (ApiKeys:Keys, ApiKeys:Named, or the file api-key of the data folder) can be guessed: {weakness}. "
                + "Make one with: openssl rand -hex 32");
        }

        if (options.Named.FirstOrDefault(named => named.Value.Role == Role.None || !Enum.IsDefined(named.Value.Role)) is { Key: { } nothing })
        {
            return ValidateOptionsResult.Fail(
                $"ApiKeys:Named:{nothing} has no role. Set its Role to Sender, Viewer, Assistant, Operator or Admin.");
        }

        foreach (var (sender, key) in options.Named.Where(named => named.Value.Sources.Count > 0))
        {
            if (key.Role != Role.Sender)
            {
                return ValidateOptionsResult.Fail(
                    $"ApiKeys:Named:{sender} has Sources and the role {key.Role}, which may more than post. "
                    + "Set its Role to Sender, or take its Sources away.");
            }

            if (key.Sources.FirstOrDefault(source => !reader.Knows(source)) is { } unknown)
            {
                return ValidateOptionsResult.Fail(
                    $"ApiKeys:Named:{sender}:Sources has '{Clip.To(unknown, 80)}', which is no source of alerts. "
                    + $"Known: {string.Join(", ", reader.Sources)}.");
            }
        }

        if (keys.Exists(key => key != key.Trim()))
        {
            return ValidateOptionsResult.Fail(
                "A key of the API (ApiKeys:Keys, ApiKeys:Named) begins or ends with a blank or a line end: "
                + "it was written with the line end of its file, and no sender has that. Write it with: printf %s");
        }

        return options.All.Distinct().GroupBy(known => known.Key).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? ValidateOptionsResult.Fail(
                $"{string.Join(" and ", twice.Select(known => known.Actor.Who))} are the same key of the API (section ApiKeys), "
                + "so it has no one role. Make one for each with: openssl rand -hex 32")
            : ValidateOptionsResult.Success;
    }
}
