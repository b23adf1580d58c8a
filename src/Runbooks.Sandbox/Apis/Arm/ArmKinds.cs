namespace Runbooks.Sandbox.Apis.Arm;

internal static class ArmKinds
{
    public static IServiceCollection AddArm(this IServiceCollection services) => services
        .AddSingleton<ArmOperations>()
        .AddSingleton<ArmPermissions>()
        .AddSingleton<TrafficManagerKind>()
        .AddSingleton<FrontDoorKind>()
        .AddSingleton<TrafficWorld>()
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<TrafficManagerKind>())
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<FrontDoorKind>())
        .AddSingleton<FrontDoorWafKind>()
        .AddSingleton<ApplicationGatewayWafKind>()
        .AddSingleton<ApiManagementKind>()
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<FrontDoorWafKind>())
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<ApplicationGatewayWafKind>())
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<ApiManagementKind>())
        .AddSingleton<ArmKind, CognitiveKind>()
        .AddSingleton<ArmKind, SiteKind>()
        .AddSingleton<ArmKind, ContainerAppKind>()
        .AddSingleton<ArmKind, VirtualMachineKind>()
        .AddSingleton<ArmKind, ManagedClusterKind>()
        .AddSingleton<ArmKind, AlertKind>();
}
