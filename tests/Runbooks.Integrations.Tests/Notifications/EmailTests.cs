using Azure.Core;
using MailKit.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Runbooks.Engine;
using Runbooks.Intake;
using Runbooks.Integrations.Notifications;
using Runbooks.Model.Incidents;
using Runbooks.Model.Storage;
using Runbooks.Notifications;
using Runbooks.SignedLinks;
using TestKit;
using TestKit.Engine;
using TestKit.People;
using TestKit.Storage;

namespace Runbooks.Integrations.Tests.Notifications;

public sealed partial class EmailTests
{
    private static readonly Address s_ada = new("email", "ada@example.com", "ada");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Mail_ArrivesAsTextAndHtmlAndItsLinkDecides()
    {
        await using var server = await MailServer.StartAsync();
        await using var app = await HostAsync(server.Port);
        var store = app.Services.GetRequiredService<IIncidentStore>();
        var incident = Some.Waiting();
        await store.OpenAsync(incident, Some.Runbook(), _ => null, Cancel);
        var cards = app.Services.GetRequiredService<IncidentCards>();

        var sent = await app.Services.GetRequiredService<IncidentNotifier>().SendAsync(
            incident,
            new("mitigation-1:0", ["oncall"], to => cards.Approval(incident, Some.Runbook(), incident.LatestGate!, to.Name, CardKind.ApprovalRequest)),
            Cancel);

        sent.Reached.ShouldBeTrue(string.Join(' ', sent.Incident.Timeline.Select(entry => entry.What)));
        var mail = await server.ReceiveAsync(Cancel);
        mail.Subject.ShouldBe("Recycle pod llm-b-0?");
        mail.To.Mailboxes.Single().Address.ShouldBe("ada@example.com");
        var link = new Uri(LinkIn(mail.TextBody!));
        mail.HtmlBody!.ShouldContain($"href=\"{link}\"");
        using var browser = new HttpClient();
        (await browser.GetStringAsync(link, Cancel)).ShouldContain("Recycle pod llm-b-0?");
        (await store.GetAsync(incident.Id, Cancel)).LatestGate!.Outcome.ShouldBe(GateOutcome.Pending);
        using var form = new FormUrlEncodedContent([new("decision", "approve")]);
        (await browser.PostAsync(link, form, Cancel)).IsSuccessStatusCode.ShouldBeTrue();
        var gate = (await store.GetAsync(incident.Id, Cancel)).LatestGate!;
        gate.Outcome.ShouldBe(GateOutcome.Approved);
        gate.Decisions.ShouldHaveSingleItem().Person.ShouldBe("ada");
    }

    [Fact]
    public async Task TitleThatWouldBeAHeader_IsOnlyATitle()
    {
        await using var server = await MailServer.StartAsync();

        await Notifier(server.Port).SendAsync(
            Cards.Approval with { Title = "Restart =?utf-8?B?SGFja2Vk?= ü\r\nBcc: eve@example.com\u202E\u200B" }, s_ada, Cancel);

        var mail = await server.ReceiveAsync(Cancel);
        mail.Subject.ShouldBe("Restart = ?utf-8?B?SGFja2Vk?= ü Bcc: eve@example.com\uFFFD\uFFFD");
        mail.Bcc.ShouldBeEmpty();
        mail.To.Mailboxes.Single().Address.ShouldBe("ada@example.com");
    }

    [Fact]
    public async Task MailThatIsSentAgain_HasTheSameId()
    {
        await using var server = await MailServer.StartAsync();

        List<string> ids = [];
        foreach (var key in new[] { "mitigation-1:0:ada@email", "mitigation-1:0:ada@email", "mitigation-1:1:ada@email" })
        {
            await Notifier(server.Port).SendAsync(Cards.Approval with { Key = key }, s_ada, Cancel);
            ids.Add((await server.ReceiveAsync(Cancel)).MessageId!);
        }

        ids[1].ShouldBe(ids[0]);
        ids[2].ShouldNotBe(ids[0]);
    }

    /// <summary>It has the mail: what it does afterwards must not make that count as lost.</summary>
    [Fact]
    public async Task ServerThatSaysNoGoodbye_IsNotWaitedFor()
    {
        await using var server = await MailServer.StartAsync(goodbye: false);

        (await Notifier(server.Port).SendAsync(Cards.Approval, s_ada, Cancel)).IsHandedOver.ShouldBeFalse();

        (await server.ReceiveAsync(Cancel)).Subject.ShouldBe(Cards.Approval.Title);
    }

    [Theory]
    [InlineData("later@example.com", true)]
    [InlineData("never@example.com", false)]
    public async Task RefusedRecipient_IsTriedAgainOnlyWhereThatCanHelp(string to, bool transient)
    {
        await using var server = await MailServer.StartAsync();

        (await FailAsync(server.Port, to)).Transient.ShouldBe(transient);
    }

    [Fact]
    public async Task ServerWithoutTls_GetsNoMail()
    {
        await using var server = await MailServer.StartAsync(tls: false);

        (await FailAsync(server.Port, "ada@example.com", ("Email:Security", "StartTls"))).Message.ShouldContain("no TLS");
    }

    /// <summary>Why is told as it is; that no list of its authority could be read is no reason.</summary>
    [Theory]
    [InlineData("127.0.0.1", 10, "nobody whom this host trusts has issued it.")]
    [InlineData("127.0.0.1", -1, "it has expired or is not valid yet, nobody whom this host trusts has issued it.")]
    [InlineData("mail.example.com", 10, "it is not made for 127.0.0.1, nobody whom this host trusts has issued it.")]
    public async Task CertificateThatIsNotGood_GetsNoMail(string name, int years, string why)
    {
        await using var server = await MailServer.StartAsync(name: name, until: DateTimeOffset.UtcNow.AddYears(years));

        (await FailAsync(server.Port, "ada@example.com", ("Email:Security", "StartTls"))).Message.ShouldBe($"The mail server's certificate is not accepted: {why}");
    }

    [Fact]
    public async Task WrongPassword_IsToldWithoutIt()
    {
        await using var server = await MailServer.StartAsync();

        var failure = await FailAsync(server.Port, "ada@example.com", ("Email:User", "bot"), ("Email:Password", "s3cret"));

        failure.Message.ShouldBe("The mail server refused the login. Look at Email:User and Email:Password.");
        failure.Transient.ShouldBeFalse();
        failure.ToString().ShouldNotContain("s3cret");
    }

    /// <summary>Too many logins at once say nothing about the password.</summary>
    [Fact]
    public async Task LoginThatFailsInPassing_IsTriedAgain()
    {
        await using var server = await MailServer.StartAsync();

        var failure = await FailAsync(server.Port, "ada@example.com", ("Email:User", "bot"), ("Email:Password", "busy"));

        failure.Message.ShouldBe("The mail server answered 454 to the login.");
        failure.Transient.ShouldBeTrue();
    }

    [Fact]
    public async Task ServerWithoutLogin_IsNotSaidToLackTls()
    {
        await using var server = await MailServer.StartAsync(login: false);

        (await FailAsync(server.Port, "ada@example.com", ("Email:User", "bot"), ("Email:Password", "right"))).Message
            .ShouldBe("The mail server offers no login that this host knows. If it takes mail without one, leave Email:User out.");
    }

    [Theory]
    [InlineData("mail.example.com:587", null, "Email:Host must be the bare name or address")]
    [InlineData("smtp://mail.example.com", null, "Email:Host must be the bare name or address")]
    [InlineData("mail.example.com", "Runbooks", "Email:From must be a mail address")]
    [InlineData("mail_relay", "Runbooks <runbooks@example.com>", null)]
    [InlineData("::1", null, null)]
    public void SettingThatCanNeverWork_IsRefusedAtTheStart(string host, string? from, string? problem)
    {
        var options = Services(25, ("Email:Host", host), ("Email:From", from ?? "runbooks@example.com"), ("Email:Security", "StartTls")).GetRequiredService<IOptions<EmailOptions>>();

        if (problem is null)
        {
            options.Value.Host.ShouldBe(host);
        }
        else
        {
            Should.Throw<OptionsValidationException>(() => options.Value).Message.ShouldContain(problem);
        }
    }

    /// <summary>A server at port 465 says nothing before TLS.</summary>
    [Theory]
    [InlineData(587, EmailSecurity.StartTls, SecureSocketOptions.StartTls)]
    [InlineData(465, EmailSecurity.StartTls, SecureSocketOptions.SslOnConnect)]
    [InlineData(587, EmailSecurity.Tls, SecureSocketOptions.SslOnConnect)]
    public void ConnectionIsProtected_AsItsPortIs(int port, EmailSecurity security, SecureSocketOptions how) =>
        SmtpTransport.Socket(new() { Port = port, Security = security }).ShouldBe(how);

    [Fact]
    public async Task ServerThatIsNotThere_IsNamedWithItsSettings() =>
        (await FailAsync(1, "ada@example.com")).Message.ShouldBe("The mail server 127.0.0.1:1 (Email:Host, Email:Port) cannot be reached (SocketException).");

    [Theory]
    [InlineData("mail.example.com", "None", false)]
    [InlineData("mail.example.com", "StartTls", true)]
    [InlineData("127.0.0.1", "None", true)]
    [InlineData("localhost", "None", true)]
    public void UnprotectedConnection_OnlyToThisMachine(string host, string security, bool fine)
    {
        var options = Services(25, ("Email:Host", host), ("Email:Security", security)).GetRequiredService<IOptions<EmailOptions>>();

        if (fine)
        {
            options.Value.Host.ShouldBe(host);
        }
        else
        {
            Should.Throw<OptionsValidationException>(() => options.Value).Message.ShouldContain("encrypted");
        }
    }

    [Theory]
    [InlineData("ada@example.com", true)]
    [InlineData("ada", false)]
    [InlineData("ada@example.com, eve@example.com", false)]
    [InlineData("Ada <ada@example.com>", false)]
    [InlineData("ada@example.com\r\nBcc: eve@example.com", false)]
    public void Address_IsOneBareAddress(string to, bool fine) => (Notifier(25).ValidateAddress(to) is null).ShouldBe(fine);

    private static string LinkIn(string text) => text.Split('\n').Select(line => line.Trim()).First(line => line.Contains("/decide?token=", StringComparison.Ordinal));

    private static Task<DeliveryException> FailAsync(int port, string to, params (string, string)[] settings) =>
        Should.ThrowAsync<DeliveryException>(() => Notifier(port, settings).SendAsync(Cards.Approval, s_ada with { To = to }, Cancel));

    private static INotifier Notifier(int port, params (string, string)[] settings) => Services(port, settings).GetServices<INotifier>().Single();

    private static ServiceProvider Services(int port, params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(Smtp(port)).AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build());
        return services.AddLogging().AddSingleton(TimeProvider.System).AddSingleton<AddressSecrets>().AddEmail().BuildServiceProvider();
    }

    private static Dictionary<string, string?> Smtp(int port) => new()
    {
        ["Email:Host"] = "127.0.0.1",
        ["Email:Port"] = $"{port}",
        ["Email:Security"] = "None",
        ["Email:From"] = "runbooks@example.com",
    };

    /// <summary>The web surface and the mail channel together, as in a host.</summary>
    private static async Task<WebApplication> HostAsync(int smtp)
    {
        var time = new FakeTimeProvider(Some.Time);
        var address = new PublicAddressOptions();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(Smtp(smtp)).AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["LinkSigning:Keys:0:Id"] = "k1",
            ["LinkSigning:Keys:0:Secret"] = ApprovalOffice.LinkSecret("k1"),
        });
        builder.Services
            .AddSingleton<TimeProvider>(time)
            .AddSingleton<IIncidentStore>(new InMemoryIncidentStore())
            .AddSingleton<IEvidenceStore>(new InMemoryEvidenceStore())
            .AddSingleton<ISharedState>(new InMemorySharedState())
            .AddSingleton<IIncidentEngine>(new RecordingEngine(time))
            .AddSingleton<LoadedRunbooks>(() => [Some.Runbook()])
            .AddSingleton(new ContactBook([new("oncall", [new Recipient("ada", [s_ada])])]))
            .AddRunbooks()
            .AddRunbooksWeb()
            .AddEmail()
            .AddSingleton(Options.Create(address));
        var app = builder.Build();
        app.MapRunbooks();
        await app.StartAsync();
        address.PublicUrl = app.Urls.Single();
        return app;
    }

    private sealed class FixedToken : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => new("token", DateTimeOffset.MaxValue);

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => new(GetToken(requestContext, cancellationToken));
    }
}
