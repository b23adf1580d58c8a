using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using Azure.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Runbooks.Catalog.Parameters;
using Runbooks.Catalog.Steps;
using Runbooks.Model.Incidents;
using Runbooks.Settings;

namespace Runbooks.Integrations.Azure;

/// <summary>Section <c>ArmRequest</c>.</summary>
public sealed class ArmRequestOptions
{
    public const string SectionName = "ArmRequest";

    /// <summary>Subscriptions, resource groups or resources that <c>arm.request</c> may change; none means that it may change nothing.</summary>
    public IList<string> AllowedScopes { get; } = [];
}

public sealed record ArmRequestParameters
{
    [Required, ArmResourceId]
    [Description("The resource.")]
    public required string Resource { get; init; }

    [Required, RegularExpression(@"^20\d\d-\d\d-\d\d(-preview)?$")]
    [Description("The version of the API, for example `2025-03-01`.")]
    public required string ApiVersion { get; init; }

    [Description("How to change it.")]
    public ArmMethod Method { get; init; } = ArmMethod.Post;

    [RegularExpression("^[A-Za-z][A-Za-z0-9]{0,63}$")]
    [Description("What the resource is told to do, for POST: `restart`.")]
    public string? Action { get; init; }

    [Description("The body.")]
    public JsonObject? Body { get; init; }
}

public enum ArmMethod { Post, Put, Patch }

/// <summary>For what has no action of its own yet. It cannot be undone, and is not repeated after a crash: nobody here knows what it does.</summary>
internal sealed class ArmRequest(ArmResources arm, IOptions<ArmRequestOptions> options)
    : RunbookAction<ArmRequestParameters>("arm.request", "Sends one request to Azure Resource Manager, within the scopes that the configuration allows.")
{
    public override string Role => "Whatever the request needs; grant it on the resource alone";

    public override bool Repeatable => false;

    protected override async Task<Preparation> PrepareAsync(ArmRequestParameters parameters, StepContext context, CancellationToken cancellationToken)
    {
        var will = $"{parameters.Method.ToString().ToUpperInvariant()} {parameters.Resource}{Below(parameters)} with {(parameters.Body is null ? "no body" : parameters.Body.ToJsonString())}.";
        if (!options.Value.AllowedScopes.Any(scope => IsWithin(parameters.Resource, scope)))
        {
            return new Preparation { PlannedEffect = will, Refusal = $"{parameters.Resource} is not within {ArmRequestOptions.SectionName}:AllowedScopes. Add it there if it is meant." };
        }

        var found = await arm.GetAsync(Target(parameters), cancellationToken);
        return new Preparation { PlannedEffect = will, Identity = (string?)found.Json["id"] };
    }

    protected override async Task<ActionResult> ApplyAsync(
        ArmRequestParameters parameters, Preparation preparation, StepContext context, CancellationToken cancellationToken)
    {
        var method = parameters.Method switch { ArmMethod.Put => RequestMethod.Put, ArmMethod.Patch => RequestMethod.Patch, _ => RequestMethod.Post };
        var answer = await arm.SendAsync(
            arm.Call(Target(parameters), method, parameters.Action ?? "change it", parameters.Body, Below(parameters)), context.Time, cancellationToken);
        return new ActionResult($"{Target(parameters).Words} answered {answer.Status}.");
    }

    private static string Below(ArmRequestParameters parameters) => parameters.Action is null ? "" : $"/{parameters.Action}";

    private static bool IsWithin(string resource, string scope) =>
        scope.Length > 1 && (resource + "/").StartsWith(scope.TrimEnd('/') + "/", StringComparison.OrdinalIgnoreCase);

    private static ArmTarget Target(ArmRequestParameters parameters) => new(parameters.Resource, parameters.ApiVersion, "that allows it");
}

public static class ArmRequestRegistration
{
    /// <summary>The action <c>arm.request</c>.</summary>
    public static IServiceCollection AddArmRequest(this IServiceCollection services)
    {
        services.AddSettings<ArmRequestOptions>(ArmRequestOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        return services.AddAzure().AddSingleton<IAction, ArmRequest>();
    }
}
