using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Integrations.Tests.Support;
using Runbooks.Model.Storage;
using Runbooks.SignedLinks;
using TestKit.Storage;

namespace Runbooks.Integrations.Tests.Tickets;

/// <summary>The ticket steps over real HTTP, each system with the bodies that its maker documents.</summary>
public abstract class OnTickets : OnTheSandbox
{
    protected const string Create = "ticket.create";
    protected const string Update = "ticket.update";

    protected override IServiceCollection Add(IServiceCollection services) =>
        services.AddTickets().AddSingleton<IIncidentStore>(new InMemoryIncidentStore()).AddSingleton(new DecisionLinks(null!, Options.Create(new PublicAddressOptions { PublicUrl = "https://runbooks.example.com" })));

    protected async Task<JsonElement> TicketsAsync(string system) => (await StateAsync()).GetProperty("apis").GetProperty(system);
}
