namespace Runbooks.Integrations.OnCall;

/// <summary>Reads a file beside the contacts; null where there is none.</summary>
public delegate Task<string?> ReadBesideContacts(string name, CancellationToken cancellationToken);

/// <summary>A calendar in the iCalendar format (RFC 5545), at an https address or beside the contacts.</summary>
/// <param name="beside">Null on a host without contacts of its own.</param>
internal sealed class CalendarSchedules(IHttpClientFactory clients, AddressSecrets secrets, ReadBesideContacts? beside = null) : IOnCallSource
{
    public const string Client = "calendar";
    private const int LargestCalendar = 1024 * 1024;

    public string Kind => "ical";

    public string IdFormat => "an https address, ${NAME} for the setting that has it, or the name of an .ics file beside the contacts";

    public string? ConfigurationError => null;

    public string? ValidateId(string id)
    {
        if (AddressSecrets.IsReference(id, out var name))
        {
            return secrets.Find(name) is not { } value ? $"the setting {name} has no value."
                : IsAddress(value, out _) ? null
                : $"the setting {name} is no https address.";
        }

        return IsFile(id) || IsAddress(id, out _)
            ? null
            : "it is neither an https address without a user in it nor the name of an .ics file.";
    }

    /// <summary>The path of an address may be what keeps it secret, so only its host is shown.</summary>
    public string Describe(string id)
    {
        if (IsFile(id))
        {
            return $"the calendar {id}";
        }

        var text = AddressSecrets.IsReference(id, out var name) ? secrets.Find(name) ?? "" : id;
        return IsAddress(text, out var address) ? $"a calendar of {address.Host}" : "a calendar";
    }

    public async Task<OnCallRoster> ReadAsync(
        OnCallSchedule schedule, DateTimeOffset from, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var text = IsFile(schedule.Id)
            ? beside is null ? null : await beside(schedule.Id, cancellationToken)
            : await DownloadAsync(schedule.Id, cancellationToken);
        if (text is null)
        {
            throw new OnCallException($"there is no file {schedule.Id} beside the contacts that can be opened.");
        }

        // A hostile rule may keep a thread busy for a while, and must not keep the caller.
        return Encoding.UTF8.GetByteCount(text) > LargestCalendar
            ? throw new OnCallException($"it is larger than {LargestCalendar / 1024} KiB.")
            : new(await Task.Run(() => CalendarShifts.Read(text, schedule.TimeZone, from, until), cancellationToken), until);
    }

    private async Task<string> DownloadAsync(string id, CancellationToken cancellationToken)
    {
        var text = AddressSecrets.IsReference(id, out var name)
            ? secrets.Find(name) ?? throw new OnCallException($"the setting {name} has no value.")
            : id;
        if (!IsAddress(text, out var address))
        {
            throw new OnCallException("its address is no https address.");
        }

        try
        {
            using var answer = await clients.CreateClient(Client)
                .GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode)
            {
                var status = (int)answer.StatusCode;
                var redirect = status is >= 300 and < 400
                    ? ", which leads elsewhere and is not followed: write the address that it leads to"
                    : "";
                throw new OnCallException($"{address.Host} answered {status}{redirect}.");
            }

            await using var stream = await answer.Content.ReadAsStreamAsync(cancellationToken);
            var buffer = new byte[LargestCalendar + 1];
            return Encoding.UTF8.GetString(
                buffer, 0, await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken));
        }
        catch (HttpRequestException refused) when (refused.InnerException is EgressRefusedException why)
        {
            throw new OnCallException(why.Message, refused);
        }
        catch (IOException broken)
        {
            throw new OnCallException($"{address.Host} broke off in the middle of its answer.", broken);
        }
        catch (Exception unreachable) when (HttpFailure.InWords(address.Host, unreachable) is { } words)
        {
            throw new OnCallException(words, unreachable);
        }
    }

    /// <summary>Beside the contacts, or in a team's folder beside its own.</summary>
    private static bool IsFile(string id) =>
        id.EndsWith(".ics", StringComparison.OrdinalIgnoreCase) && id.Split('/') is { Length: <= 2 } parts
        && parts.All(IsFileName);

    private static bool IsFileName(string part) =>
        part.Length is > 0 and <= 100
        && char.IsAsciiLetterOrDigit(part[0])
        && part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');

    private static bool IsAddress(string text, out Uri address) =>
        HttpsUrl.TryParse(text, out address) && address.UserInfo.Length == 0;
}
